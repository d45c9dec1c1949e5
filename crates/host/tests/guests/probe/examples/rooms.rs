//! A dependency with a memory of its own.

use probe::memory;

wit_bindgen::generate!({ path: "wit", world: "provider" });

use exports::probe::rooms::rooms::Guest;

struct Rooms;

impl Guest for Rooms {
    fn stain(mib: u32) -> u32 {
        memory::stain(mib as usize) as u32
    }

    fn look(mib: u32) -> String {
        memory::look(mib as usize)
    }

    fn spin() {
        memory::spin()
    }
}

export!(Rooms);
