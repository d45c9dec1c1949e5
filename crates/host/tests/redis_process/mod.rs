//! A real Redis server, which `cargo xtask test --all` brings.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that ends with its test.
pub struct Redis {
    process: Child,
    pub port: u16,
}

impl Redis {
    /// On a port of this machine.
    pub fn start(port: u16) -> Redis {
        let arguments = ["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1"].map(str::to_owned);
        let mut command = Command::new("redis-server");
        command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR")).stdout(Stdio::null());
        let process = command.spawn().expect("redis-server is installed (Debian's package of that name)");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "Redis does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Redis { process, port }
    }

    /// On a port that is free.
    pub fn any() -> Redis {
        Redis::start(host::parts::free_port().expect("a free port"))
    }

    pub fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
