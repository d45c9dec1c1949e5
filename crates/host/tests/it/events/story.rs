//! A story in which every type of event happens. A test stands between the relay and the consumers.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::crash_points::state;
use crate::harness::{Person, Setup, Spindle};
use crate::steps::{self, without_hints};

/// What the relay posted to a consumer.
#[derive(Clone)]
pub struct Post {
    pub consumer: String,
    pub content_type: String,
    pub event: Value,
}

/// What became of a story.
pub struct Told {
    pub app: Spindle,
    pub posts: Vec<Post>,
    /// The rows at its end, in words that are the same each time.
    pub state: Vec<String>,
}

/// Tells the story; a consumer gets what `change` makes of each event that the relay posts.
pub async fn tell(change: fn(&Value) -> Vec<Value>) -> Told {
    let (address, posts) = listen().await;
    let setup = without_hints();
    let variables = [("consumers", address.clone()), ("consumer_base", address)];
    let app = Spindle::with(Setup { variables: setup.variables.into_iter().chain(variables).collect(), ..setup }).await;
    let mut teller = Teller { person: app.person("ada", "UTC").await, waiting: posts, posts: Vec::new(), change };
    teller.tell().await;
    let posts = teller.posts;
    app.quiet().await;
    let state = state::read(&app.sql().await).await;
    Told { app, posts, state }
}

type Posts = Arc<Mutex<Vec<Post>>>;

struct Teller<'a> {
    person: Person<'a>,
    waiting: Posts,
    /// What was handed on.
    posts: Vec<Post>,
    change: fn(&Value) -> Vec<Value>,
}

impl Teller<'_> {
    async fn tell(&mut self) {
        let plain = self.person.make(json!({"title": "Buy bread"})).await;
        self.person.edit(&plain, json!({"title": "Buy oil"})).await;
        self.person.complete(&plain).await;
        self.person.reopen(&plain).await;
        self.person.delete(&steps::path(&plain)).await;
        let due = "2026-02-10T09:00:00Z";
        let weekly = json!({"title": "Weekly", "recurrence_rule": "weekly", "due_date": due, "reminder_minutes": 30});
        let weekly = self.person.make(weekly).await;
        self.hand_on().await;
        self.go_to("2026-02-10T08:30:00Z").await;
        self.person.complete(&weekly).await;
        self.hand_on().await;
        // the reminder of the next one is then more than a day late
        self.go_to("2026-02-19T00:00:00Z").await;
        let next = self.person.open().await;
        assert_eq!(next.len(), 1, "the next one");
        self.person.delete(&steps::path(&next[0])).await;
        self.hand_on().await;
    }

    async fn go_to(&mut self, rfc3339: &str) {
        self.person.wait_until(rfc3339).await;
        self.person.app.tick().await;
        self.hand_on().await;
    }

    /// Lets the relay post until nothing is left, and hands on what it posts.
    async fn hand_on(&mut self) {
        loop {
            assert_eq!(self.person.app.relay().await.json["failed"], 0);
            let posts = std::mem::take(&mut *self.waiting.lock().expect("posts"));
            if posts.is_empty() {
                return;
            }
            for post in posts {
                for event in (self.change)(&post.event) {
                    let path = format!("/internal/{}/events", post.consumer);
                    let answer = self.person.app.internal(&path, event.to_string()).await;
                    assert_eq!(answer.status, 200, "{path} {event}: {}", answer.json);
                }
                self.posts.push(post);
            }
            self.person.app.app.settle().await;
        }
    }
}

/// Answers 200 to everything that is posted, and keeps it.
async fn listen() -> (String, Posts) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let posts = Posts::default();
    let kept = posts.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let mut socket = BufReader::new(socket);
            let post = read(&mut socket).await.expect("a request");
            kept.lock().expect("posts").push(post);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            socket.get_mut().write_all(answer).await.expect("an answer");
        }
    });
    (address, posts)
}

/// Reads `POST /internal/<consumer>/events` with its body.
async fn read(socket: &mut BufReader<TcpStream>) -> std::io::Result<Post> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        socket.read_line(&mut head).await?;
    }
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {head}")).trim().to_owned()
    };
    let mut body = vec![0; header("content-length:").parse().expect("a length")];
    socket.read_exact(&mut body).await?;
    let consumer = head.split('/').nth(2).expect("a consumer").to_owned();
    Ok(Post { consumer, content_type: header("content-type:"), event: serde_json::from_slice(&body)? })
}
