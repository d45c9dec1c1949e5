//! Stains its memory and that of its dependency, or looks for stains in both. Its own begins with a large image.

use std::hint::black_box;
use std::time::Duration;

use ::probe::memory;
use anyhow::Context as _;
use spin_sdk::http::{Request, Response};
use spin_sdk::pg4::{Connection, ParameterValue};
use spin_sdk::{http_component, variables};

wit_bindgen::generate!({ path: "wit", world: "lodger" });

use self::probe::rooms::rooms;

/// A megabyte that the host maps when it makes an instance, and writes to that nobody may see after.
static mut IMAGE: [u8; 1 << 20] = [7; 1 << 20];

/// `look?MIB` answers as `memory::look` does, for both memories, after the bytes of the image that are not as they
/// were. `stain?MIB` does what its body says once it has noted that all is stained.
#[http_component]
fn handle(request: Request) -> anyhow::Result<Response> {
    let mib: u32 = request.query().parse()?;
    if request.path().ends_with("/look") {
        return Ok(Response::new(200, look(mib)));
    }
    // SAFETY: an instance has one thread.
    let image = unsafe { &mut *black_box(&raw mut IMAGE) };
    image.fill(8);
    let bytes = memory::stain(mib as usize) as u32 + rooms::stain(mib);
    let connection = Connection::open(&variables::get("db_url")?)?;
    let note = [ParameterValue::Str("stained".into())];
    connection.execute("insert into seen (what) values ($1)", &note)?;
    match std::str::from_utf8(request.body())?.split_once(' ').context("what then?")? {
        ("look", mib) => return Ok(Response::new(200, format!("{bytes} {}", look(mib.parse()?)))),
        ("panic", _) => panic!("told to panic"),
        ("spin", _) => rooms::spin(),
        ("sleep", ms) => std::thread::sleep(Duration::from_millis(ms.parse()?)),
        _ => {}
    }
    Ok(Response::new(200, ""))
}

fn look(mib: u32) -> String {
    // SAFETY: an instance has one thread.
    let image = unsafe { &*black_box(&raw const IMAGE) };
    let changed = image.iter().filter(|byte| **byte != 7).count();
    format!("{changed} {} {}", memory::look(mib as usize), rooms::look(mib))
}
