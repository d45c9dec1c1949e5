//! Exports `spindle:calendar/rules`.

wit_bindgen::generate!({ world: "provider", path: "wit" });

use exports::spindle::calendar::rules::Guest;

struct Provider;

impl Guest for Provider {
    fn next(day: u32) -> Result<u32, String> {
        day.checked_add(1)
            .ok_or_else(|| format!("no day after {day}"))
    }
}

export!(Provider);
