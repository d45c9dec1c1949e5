//! What runs on this machine.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The command line of a running process, whoever owns it; None when there is no such process.
pub fn arguments(pid: &str) -> Option<String> {
    let pid: u32 = pid.trim().parse().ok()?;
    if Path::new("/proc/self").exists() {
        let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&words).replace('\0', " "));
    }
    let output = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
