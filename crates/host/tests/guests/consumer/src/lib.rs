//! Imports `spindle:calendar/rules` and exports a function that calls it.

wit_bindgen::generate!({ world: "consumer", path: "wit", generate_all });

use spindle::calendar::rules::next;

struct Consumer;

impl Guest for Consumer {
    fn after_next(day: u32) -> Result<u32, String> {
        next(next(day)?)
    }
}

export!(Consumer);
