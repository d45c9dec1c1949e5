//! What is asked of every target.

use crate::data::{DOER, READER, WRITER};
use uuid::Uuid;

/// One kind of request.
pub struct Work {
    /// Its name in tables.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, `{id}` for a task's id.
    pub path: &'static str,
    /// The JSON body.
    pub body: Option<&'static str>,
    /// Who asks.
    pub user: Option<Uuid>,
    /// Which ids it names, and whether each only once.
    pub ids: Option<(&'static str, bool)>,
    /// The status of the answer.
    pub status: u16,
    /// The statement that does it and what stands for its parameters under pgbench.
    pub statement: Option<Statement>,
}

/// A statement under pgbench.
pub struct Statement {
    /// As the component sends it.
    pub sql: &'static str,
    /// Lines that pgbench runs before it.
    pub set: &'static str,
    /// What stands for $1, $2, …
    pub parameters: &'static [&'static str],
}

/// A task with what most tasks have.
const TASK: &str = concat!(
    r#"{"title":"Buy milk and bread","priority":"P2","tags":["home","errand"],"due_date":"2027-01-01T09:00:00Z","#,
    r#""description":"two litres of oat milk and one loaf of rye bread from the corner shop","reminder_minutes":[30]}"#,
);

/// A new id for each run of a statement: pgbench has no UUIDs, so two random numbers are made one.
const NEW_ID: &str =
    "('0190' || lpad(to_hex(:a::int), 4, '0') || '-0000-7000-8000-' || lpad(to_hex(:b::bigint), 12, '0'))::uuid";
const NEW_EVENT: &str =
    "('0191' || lpad(to_hex(:a::int), 4, '0') || '-0000-7000-8000-' || lpad(to_hex(:b::bigint), 12, '0'))::uuid";

/// Everything that is measured.
pub const WORKS: &[Work] = &[
    Work {
        name: "hello",
        method: "GET",
        path: "/healthz",
        body: None,
        user: None,
        ids: None,
        status: 200,
        statement: None,
    },
    Work {
        name: "get",
        method: "GET",
        path: "/api/v1/tasks/{id}",
        body: None,
        user: Some(READER),
        ids: Some(("readable", false)),
        status: 200,
        statement: Some(Statement {
            sql: include_str!("../../../components/tasks/sql/get.sql"),
            set: "\\set n random(1, 10000)",
            parameters: &[
                "'01900000-0000-7000-8000-0000000a0001'::uuid",
                "('01900000-0000-7000-8000-01' || lpad(to_hex(:n::int), 10, '0'))::uuid",
            ],
        }),
    },
    Work {
        name: "list",
        method: "GET",
        path: "/api/v1/tasks?limit=50",
        body: None,
        user: Some(READER),
        ids: None,
        status: 200,
        statement: Some(Statement {
            sql: include_str!("../../../components/tasks/sql/list.sql"),
            set: "",
            parameters: &[
                "'01900000-0000-7000-8000-0000000a0001'::uuid",
                "'9998-12-31'::timestamp",
                "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid",
                "51::bigint",
            ],
        }),
    },
    Work {
        name: "create",
        method: "POST",
        path: "/api/v1/tasks",
        body: Some(TASK),
        user: Some(WRITER),
        ids: None,
        status: 201,
        statement: Some(Statement {
            sql: include_str!("../../../components/tasks/sql/create.sql"),
            set: "\\set a random(0, 65535)\n\\set b random(0, 281474976710655)",
            parameters: &[
                "'01900000-0000-7000-8000-0000000a0002'::uuid",
                NEW_ID,
                "'Buy milk and bread'::text",
                "'two litres of oat milk and one loaf of rye bread from the corner shop'::text",
                "2::int",
                "'{home,errand}'::text[]",
                "null::date",
                "'2027-01-01T09:00:00'::timestamp",
                "null::text",
                "'{30}'::int[]",
                "(now() at time zone 'utc')",
                NEW_EVENT,
                "null",
            ],
        }),
    },
    Work {
        name: "complete",
        method: "POST",
        path: "/api/v1/tasks/{id}/complete",
        body: None,
        user: Some(DOER),
        ids: Some(("open", true)),
        status: 200,
        statement: Some(Statement {
            sql: include_str!("../../../components/tasks/sql/complete.sql"),
            set: "\\set n random(1, 60000)\n\\set a random(0, 65535)\n\\set b random(0, 281474976710655)",
            parameters: &[
                "'01900000-0000-7000-8000-0000000a0003'::uuid",
                "('01900000-0000-7000-8000-03' || lpad(to_hex(:n::int), 10, '0'))::uuid",
                "(now() at time zone 'utc')",
                NEW_EVENT,
                "null",
            ],
        }),
    },
];

impl Work {
    /// Whether it leaves something behind that the next load must not find.
    pub fn changes(&self) -> bool {
        self.method != "GET"
    }

    /// The path for the task of this number.
    pub fn path_of(&self, number: u32) -> String {
        match self.user {
            Some(user) => self.path.replace("{id}", &crate::data::task_id(user, number).to_string()),
            None => self.path.to_string(),
        }
    }
}

impl Statement {
    /// The script for pgbench.
    pub fn script(&self) -> String {
        let code = self.sql.lines().filter(|line| !line.trim_start().starts_with("--"));
        // pgbench would take `:MI` in a format for a variable
        let mut sql = code.collect::<Vec<_>>().join("\n").replace("HH24:MI:SS", "HH24\":\"MI\":\"SS");
        for (at, value) in self.parameters.iter().enumerate().rev() {
            sql = sql.replace(&format!("${}", at + 1), value);
        }
        format!("{}\n{sql}\n", self.set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_replaced() {
        for work in WORKS {
            let Some(statement) = &work.statement else { continue };
            let script = statement.script();
            assert!(!script.contains('$'), "{}: {script}", work.name);
            assert!(!script.contains(":MI"), "{}: {script}", work.name);
        }
    }
}
