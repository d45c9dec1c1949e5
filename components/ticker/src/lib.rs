//! Calls the ticks by the clock: on a laptop and under `spin up` with the cron plugin. In a cluster others call them.

edge::cron_component!(tick);

/// The relay comes last and takes along what the others wrote.
const TICKS: [&str; 7] = [
    "/internal/recurrence/tick",
    "/internal/reminders/tick",
    "/internal/notifications/tick",
    "/internal/audit/tick",
    "/internal/accounts/tick",
    "/internal/relay/tick",
    "/internal/relay/run",
];

fn tick() {
    for path in TICKS {
        edge::send::tick(path);
    }
}
