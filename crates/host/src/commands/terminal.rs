//! Words for people: colours on a terminal, and a line about what takes long.

use std::io::IsTerminal;
use std::time::Duration;

/// After this long, someone who waits is told what for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bold, on a terminal.
pub fn bold(words: &str) -> String {
    paint(words, "1", std::io::stdout().is_terminal())
}

/// Green, on a terminal.
pub fn green(words: &str) -> String {
    paint(words, "32", std::io::stdout().is_terminal())
}

/// Yellow, on a terminal.
pub fn yellow(words: &str) -> String {
    paint(words, "33", std::io::stdout().is_terminal())
}

/// Red, where stderr is a terminal.
pub fn red(words: &str) -> String {
    paint(words, "31", std::io::stderr().is_terminal())
}

fn paint(words: &str, code: &str, terminal: bool) -> String {
    if terminal && std::env::var_os("NO_COLOR").is_none() {
        format!("\u{1b}[{code}m{words}\u{1b}[0m")
    } else {
        words.to_string()
    }
}

/// Rows as lines with their columns one below the other; the first row has the heads.
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |(nth, row): (usize, &Vec<String>)| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ").trim_end().to_string();
        if nth == 0 { bold(&line) } else { line }
    };
    rows.iter().enumerate().map(line).collect()
}

/// Awaits `work`, with a line on stderr once it has taken two seconds.
pub async fn patiently<T>(words: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    match tokio::time::timeout(PATIENCE, &mut work).await {
        Ok(done) => done,
        Err(_) => {
            eprintln!("{words} …");
            work.await
        }
    }
}
