//! Known mistakes, to see that the checker finds them.

use std::fs;
use std::path::{Path, PathBuf};

use host::TestBed;

use crate::settings::root;
use crate::stage::folder;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The relay takes what has a greater id than all that was handed over.
    PollingById,
    /// Consumers insert without asking whether the event is there.
    NoOnConflict,
    /// The binding gives up an event that was answered 500.
    ConsumeRetryOff,
    /// Consumers answer 204 to a binding with a resiliency policy.
    Answer204,
}

const ALL: [(&str, Variant); 4] = [
    ("polling-by-id", Variant::PollingById),
    ("no-on-conflict", Variant::NoOnConflict),
    ("consume-retry-off", Variant::ConsumeRetryOff),
    ("answer-204", Variant::Answer204),
];

impl Variant {
    /// The variant of a name; none for an empty one.
    pub fn named(name: &str) -> Option<Variant> {
        let known = ALL.iter().find(|(known, _)| *known == name).map(|(_, variant)| *variant);
        assert!(known.is_some() || name.is_empty(), "no variant {name}: known are {:?}", ALL.map(|(known, _)| known));
        known
    }

    /// Rewrites statements of a host.
    pub fn rewrite(self, bed: &TestBed) {
        match self {
            Variant::PollingById => replace(
                bed,
                "components/relay/sql/claim.sql",
                &[(
                    "o.stream_seq = s.acked_seq + 1",
                    "o.id > (select coalesce(max(id::text), '')::text from outbox_archive)::uuid",
                )],
            ),
            Variant::NoOnConflict => no_on_conflict(bed),
            Variant::ConsumeRetryOff | Variant::Answer204 => {}
        }
    }

    /// The resources for the sidecars: the project's, or a copy with the mistake in it.
    pub fn resources(variant: Option<Variant>) -> PathBuf {
        let ours = root().join("dapr");
        let copy = folder("soak-dapr");
        copy_folder(&ours, &copy);
        match variant {
            Some(Variant::ConsumeRetryOff) => {
                let file = copy.join("binding/in.yaml");
                let text = fs::read_to_string(&file).expect("in.yaml");
                let without = text.replace(
                    "- name: consumeRetryEnabled\n      value: \"true\"",
                    "- name: consumeRetryEnabled\n      value: \"false\"",
                );
                assert_ne!(text, without);
                fs::write(file, without).expect("written");
            }
            Some(Variant::Answer204) => {
                fs::write(copy.join("common/resiliency.yaml"), RETRIES).expect("written");
            }
            _ => {}
        }
        copy
    }
}

/// A policy that no input binding may have.
const RETRIES: &str = "apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata:
  name: spindle
spec:
  policies:
    retries:
      thrice:
        policy: constant
        duration: 300ms
        maxRetries: 3
  targets:
    components:
      events-to-audit:
        inbound:
          retry: thrice
      events-to-reminders:
        inbound:
          retry: thrice
";

fn replace(bed: &TestBed, file: &str, changes: &[(&str, &str)]) {
    let text = fs::read_to_string(root().join(file)).expect(file);
    let mut changed = text.clone();
    for (from, to) in changes {
        assert!(changed.contains(from), "{file} has no {from}");
        changed = changed.replace(from, to);
    }
    bed.rewrite_sql(&text, &changed);
}

fn no_on_conflict(bed: &TestBed) {
    replace(
        bed,
        "crates/edge/sql/receive.sql",
        &[("    where not exists (select from done)\n    on conflict (consumer, event_id) do nothing\n", "")],
    );
    for file in [
        "crates/edge/sql/done.sql",
        "components/audit/sql/append.sql",
        "components/reminders/sql/follow.sql",
        "components/notifications/sql/deliver.sql",
        "components/recurrence/sql/advance.sql",
        "components/recurrence/sql/finish.sql",
    ] {
        replace(bed, file, &[("on conflict do nothing", "")]);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}
