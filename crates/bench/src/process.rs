//! What processes have used, from Linux's `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Ticks of `/proc/PID/stat` in a second: USER_HZ, 100 on every Linux that matters here.
const TICKS: f64 = 100.0;

struct Stat {
    parent: u32,
    own: u64,
    reaped: u64,
    faults: u64,
}

/// Seconds of processor time and page faults of this process's thread of a name, so far.
pub fn thread(name: &str) -> Option<(f64, u64)> {
    let mut folders = fs::read_dir("/proc/self/task").ok()?.flatten().map(|entry| entry.path());
    let named = |folder: &PathBuf| fs::read_to_string(folder.join("comm")).is_ok_and(|comm| comm.trim() == name);
    let stat = stat(&folders.find(named)?.join("stat"))?;
    Some((stat.own as f64 / TICKS, stat.faults))
}

/// Seconds of processor time that a process and its living descendants have used, and those of its children that have
/// ended.
pub fn cpu_seconds(root: u32) -> f64 {
    let all = stats();
    let ticks: u64 = tree(&all, root).iter().map(|pid| all[pid].own).sum();
    let reaped = all.get(&root).map_or(0, |stat| stat.reaped);
    (ticks + reaped) as f64 / TICKS
}

/// Megabytes of memory that a process and its descendants hold.
pub fn resident_mb(root: u32) -> f64 {
    let all = stats();
    let kilobytes: f64 = tree(&all, root).iter().filter_map(|pid| resident_kb(*pid)).sum();
    kilobytes / 1024.0
}

fn resident_kb(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn tree(all: &BTreeMap<u32, Stat>, root: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut next = if all.contains_key(&root) { vec![root] } else { Vec::new() };
    while let Some(pid) = next.pop() {
        next.extend(all.iter().filter(|(_, stat)| stat.parent == pid).map(|(child, _)| child));
        found.push(pid);
    }
    found
}

fn stats() -> BTreeMap<u32, Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| Some((pid, stat(Path::new(&format!("/proc/{pid}/stat")))?))).collect()
}

/// proc_pid_stat(5): fields are counted behind the command, which may hold anything but ends with the last bracket.
fn stat(file: &Path) -> Option<Stat> {
    let text = fs::read_to_string(file).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let parent = u32::try_from(number(1)?).ok()?;
    let (own, reaped) = (number(11)? + number(12)?, number(13)? + number(14)?);
    Some(Stat { parent, own, reaped, faults: number(7)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_computes_is_seen() {
        let me = std::process::id();
        let before = cpu_seconds(me);
        let since = std::time::Instant::now();
        while since.elapsed().as_millis() < 200 {
            std::hint::black_box(stats());
        }
        assert!(cpu_seconds(me) - before > 0.05);
        assert!(resident_mb(me) > 1.0);
        assert_eq!(cpu_seconds(u32::MAX), 0.0);
    }
}
