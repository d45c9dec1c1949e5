#!/usr/bin/env bash
# Shows the whole journey against a running Spindle, in less than a minute: docs/demo.sh [http://127.0.0.1:3000]
# Exits with 1 and a sentence when something is not as promised.
set -euo pipefail
export LC_ALL=C

base=${1:-http://127.0.0.1:3000}
base=${base%/}
# how long after its moment a reminder may come, and how long other work may take, in seconds
late=15

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '   %s\n' "$*"; }
fail() {
  printf '\nnot as promised: %s\n' "$*" >&2
  exit 1
}

# request STATUS METHOD PATH [BODY]: prints the body of an answer that must have this status.
request() {
  local wanted=$1 method=$2 path=$3 body=${4-} answer status
  local options=(-sS -m 20 -X "$method" -w '\n%{http_code}' -H "authorization: Bearer ${token-}")
  [ -z "$body" ] || options+=(-H 'content-type: application/json' -d "$body")
  answer=$(curl "${options[@]}" "$base$path") || fail "$method $path: no answer"
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  [ "$status" = "$wanted" ] || fail "$method $path answered $status instead of $wanted: $answer"
  printf '%s' "$answer"
}

# field NAME: the first string or number of this name in the JSON on stdin.
field() { (grep -oE "\"$1\":(\"[^\"]*\"|[0-9]+)" || true) | sed -n '1{s/^[^:]*://;s/"//g;p;}'; }
# count NAME VALUE: how often a field has this value in the JSON on stdin.
count() { (grep -o "\"$1\":\"$2\"" || true) | wc -l | tr -d ' '; }
# utc EPOCH: the instant as the API writes it, with the date of GNU or of BSD.
utc() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$1" +%Y-%m-%dT%H:%M:%SZ; }

curl -fsS -m 5 -o /dev/null "$base/readyz" 2>/dev/null ||
  fail "$base/readyz does not answer 200; start Spindle with: cargo xtask up"

say '1. Sign up and sign in'
name=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
credentials="\"email\":\"demo-$name@example.org\",\"password\":\"password-$name\""
request 201 POST /api/v1/accounts "{$credentials,\"time_zone\":\"UTC\"}" >/dev/null
token=$(request 200 POST /api/v1/tokens "{$credentials}" | field access_token)
[ -n "$token" ] || fail 'the sign-in gave no access token'
show "demo-$name@example.org has an access token for five minutes"

say '2. Create a weekly task that is due in 90 seconds, with a reminder one minute before'
now=$(date +%s)
due=$(utc $((now + 90)))
moment=$((now + 30))
next_due=$(utc $((now + 90 + 7 * 86400)))
task=$(request 201 POST /api/v1/tasks "{\"title\":\"Weekly standup\",\"priority\":\"P1\",\"tags\":[\"work\"],
  \"due_date\":\"$due\",\"recurrence_rule\":\"FREQ=WEEKLY\",\"reminder_minutes\":[1]}")
id=$(printf '%s' "$task" | field id)
series=$(printf '%s' "$task" | field series_id)
[ -n "$series" ] || fail "the task belongs to no series: $task"
show "task $id is due at $due"
show "reminder at $(utc "$moment")"

say '3. Wait for the notification: never early, at most some seconds late'
while :; do
  notifications=$(request 200 GET /api/v1/notifications)
  left=$((moment - $(date +%s)))
  [ "$(printf '%s' "$notifications" | count task_id "$id")" = 0 ] || break
  [ "$left" -gt -$late ] || fail "no notification $late seconds after the moment of the reminder"
  if [ -t 1 ]; then
    if [ "$left" -gt 0 ]; then printf '\r   %2d s until the reminder ' "$left"; else printf '\r   any moment now          '; fi
  fi
  sleep 1
done
[ ! -t 1 ] || printf '\r'
[ "$left" -le 0 ] || fail "the notification came $left seconds early"
[ "$(printf '%s' "$notifications" | count task_id "$id")" = 1 ] || fail "there is more than one notification: $notifications"
fire_at=$(printf '%s' "$notifications" | field fire_at)
created_at=$(printf '%s' "$notifications" | field created_at)
[ "$fire_at" = "$(utc "$moment")" ] || fail "the reminder was set for $fire_at instead of $(utc "$moment")"
[[ ! ${created_at:0:19} < ${fire_at:0:19} ]] || fail "the notification is of $created_at, before $fire_at"
show "\"$(printf '%s' "$notifications" | field title)\" came at $created_at, set for $fire_at"

say '4. Complete the task, twice: the second time changes nothing'
request 200 POST "/api/v1/tasks/$id/complete" >/dev/null
version=$(request 200 POST "/api/v1/tasks/$id/complete" | field version)
[ "$version" = 2 ] || fail "the task has version $version instead of 2"
show "task $id is completed"

say '5. The next occurrence, with its reminder'
for ((waited = 0; ; waited++)); do
  open=$(request 200 GET '/api/v1/tasks?status=open')
  pending=$(request 200 GET /api/v1/reminders)
  [ "$(printf '%s' "$open" | count series_id "$series")" = 0 ] ||
    [ "$(printf '%s' "$pending" | count state pending)" = 0 ] || break
  [ "$waited" -lt "$late" ] || fail "no next task with a reminder $late seconds after the completion"
  sleep 1
done
[ "$(printf '%s' "$open" | count series_id "$series")" = 1 ] || fail "there is more than one next task: $open"
found=$(printf '%s' "$open" | field due_date)
[ "$found" = "$next_due" ] || fail "the next task is due at $found instead of $next_due"
show "task $(printf '%s' "$open" | field id) is due at $found, a week later"
# the latest moment comes first in the list
show "reminder at $(printf '%s' "$pending" | field fire_at), $(printf '%s' "$pending" | field state)"

say '6. The audit log tells the story'
for ((waited = 0; ; waited++)); do
  audit=$(request 200 GET '/api/v1/audit?limit=100')
  [ "$(printf '%s' "$audit" | count type 'dev[^"]*')" -lt 6 ] || break
  [ "$waited" -lt "$late" ] || fail "the audit log has fewer than six entries: $audit"
  sleep 1
done
story=$(printf '%s' "$audit" | grep -o '"type":"dev[^"]*"' | sed 's/.*dev\.spindle\.\(.*\)\.v1"/\1/')
times=$(printf '%s' "$audit" | grep -o '"time":"[^"]*"' | sed 's/"time":"\(.*\)"/\1/')
# the latest comes first: turn it round
paste -d ' ' <(printf '%s\n' "$times") <(printf '%s\n' "$story") | sed '1!G;h;$!d' | sed 's/^/   /'
for kind in task.created series.created reminder.due task.completed series.advanced; do
  printf '%s\n' "$story" | grep -qx "$kind" || fail "the audit log has no $kind"
done
[ "$(printf '%s\n' "$story" | grep -cx task.created)" = 2 ] || fail 'the audit log has not two times task.created'

say 'All as promised. Whether the hash chains are whole: spindle audit verify'
