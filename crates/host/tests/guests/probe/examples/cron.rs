//! Writes the instants of its cron events to the table `seen`.

use spin_sdk::pg4::{Connection, ParameterValue};
use spin_sdk::variables;

wit_bindgen::generate!({
    path: "../../../../../wit/deps/spin-cron@2.0.0",
    world: "spin-cron",
});

struct Cron;

impl Guest for Cron {
    fn handle_cron_event(metadata: Metadata) -> Result<(), Error> {
        let fail = |error: String| Error::Other(error);
        let url = variables::get("db_url").map_err(|error| fail(error.to_string()))?;
        let connection = Connection::open(&url).map_err(|error| fail(error.to_string()))?;
        let text = ParameterValue::Str(format!("cron {}", metadata.timestamp));
        connection.execute("insert into seen (what) values ($1)", &[text]).map_err(|error| fail(error.to_string()))?;
        if variables::get("cron_fails").is_ok_and(|fails| fails == "yes") {
            Err(fail("told to fail".into()))
        } else {
            Ok(())
        }
    }
}

export!(Cron);
