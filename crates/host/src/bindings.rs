//! The interfaces between guests and this host that wasmtime's own crates do not bring, generated from `wit/`.
#![allow(missing_docs, reason = "generated; the WIT files document it")]

/// What guests import beside WASI.
pub mod imports {
    wasmtime::component::bindgen!({
        inline: "
            package spindle:host;
            world imports {
                import spin:postgres/postgres@4.0.0;
                import fermyon:spin/redis@2.0.0;
                import fermyon:spin/variables@2.0.0;
            }
        ",
        path: ["../../wit/deps/spin-postgres@4.0.0", "../../wit/deps/spin@2.0.0"],
        world: "spindle:host/imports",
        imports: { default: async | trappable | tracing },
        with: {
            "spin:postgres/postgres.connection": crate::pg::Connection,
            "fermyon:spin/redis.connection": crate::redis::Connection,
        },
    });
}

/// What a component with a Redis trigger exports.
pub mod redis_trigger {
    wasmtime::component::bindgen!({
        inline: "
            package spindle:host;
            world redis-trigger { export fermyon:spin/inbound-redis; }
        ",
        path: ["../../wit/deps/spin@unversioned"],
        world: "spindle:host/redis-trigger",
        exports: { default: async },
    });
}

/// What a component with a cron trigger exports.
pub mod cron_trigger {
    wasmtime::component::bindgen!({
        path: ["../../wit/deps/spin-cron@2.0.0"],
        world: "fermyon:spin-cron/spin-cron",
        exports: { default: async },
    });
}
