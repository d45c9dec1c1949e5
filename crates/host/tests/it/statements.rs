//! The .sql files of the components and of edge, found by walking: none can be forgotten.

use std::fs;
use std::path::Path;

/// One file, one statement.
pub struct Statement {
    /// Whose folder it lies in: a component, or `edge`.
    pub owner: String,
    /// `tasks/complete`.
    pub name: String,
    /// The whole file, as it is sent.
    pub text: String,
    /// The components that send it.
    pub senders: Vec<String>,
}

impl Statement {
    /// The comment at its head, as one line.
    pub fn header(&self) -> String {
        let comments = self.text.lines().map_while(|line| line.strip_prefix("--"));
        comments.map(str::trim).collect::<Vec<_>>().join(" ")
    }

    /// Whether it serves every user and says why.
    pub fn is_system(&self) -> bool {
        self.header().split_once("system: ").is_some_and(|(_, why)| why.starts_with(char::is_alphabetic))
    }

    /// Whether it reads more than it answers, and says why.
    pub fn is_sweep(&self) -> bool {
        self.header().split_once("sweep: ").is_some_and(|(_, why)| why.starts_with(char::is_alphabetic))
    }

    /// What is left without comments and what stands in quotes, with single blanks.
    pub fn code(&self) -> String {
        let lines = self.text.lines().map(|line| line.split_once("--").map_or(line, |(before, _)| before));
        let text = lines.collect::<Vec<_>>().join(" ");
        let unquoted = text.split('\'').enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "''" });
        unquoted.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Every statement of the project, by name.
pub fn all(root: &Path) -> Vec<Statement> {
    let mut files = Vec::new();
    walk(&root.join("components"), &mut files);
    walk(&root.join("crates"), &mut files);
    let consumers: Vec<String> = components(root).into_iter().filter(|name| consumes(root, name)).collect();
    let mut all: Vec<Statement> = files.iter().map(|path| read(root, path, &consumers)).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The names of the folders in `components`.
pub fn components(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("components")).expect("components");
    let folders = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.join("src").is_dir());
    let mut names: Vec<String> = folders.map(|path| file_name(&path)).collect();
    names.sort();
    names
}

/// All the Rust code of a component.
pub fn source(root: &Path, component: &str) -> String {
    let entries = fs::read_dir(root.join("components").join(component).join("src")).expect("a component has src");
    entries.map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a source")).collect()
}

/// Whether a component has an inbox, and so sends the statements of edge.
pub fn consumes(root: &Path, component: &str) -> bool {
    source(root, component).contains("edge::inbox")
}

fn read(root: &Path, path: &Path, consumers: &[String]) -> Statement {
    let folder = path.parent().expect("a file is in a folder");
    assert!(folder.ends_with("sql"), "{}: .sql files lie in components/*/sql and crates/edge/sql", path.display());
    let owner = file_name(folder.parent().expect("sql is in a folder"));
    let inside = folder.strip_prefix(root.join("components")).is_ok();
    assert!(inside || owner == "edge", "{}: only components and edge have statements", path.display());
    let senders = if inside { vec![owner.clone()] } else { consumers.to_vec() };
    let name = format!("{owner}/{}", path.file_stem().unwrap_or_default().to_string_lossy());
    Statement { owner, name, text: fs::read_to_string(path).expect("a statement"), senders }
}

fn walk(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("tests") {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
