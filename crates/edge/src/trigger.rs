//! Components that a Redis message or a cron schedule starts.

/// The exports that the host calls.
#[doc(hidden)]
#[allow(missing_docs, unsafe_code)]
pub mod redis {
    wit_bindgen::generate!({
        inline: "
            package fermyon:spin;
            interface redis-types {
                enum error { success, error }
                type payload = list<u8>;
            }
            interface inbound-redis {
                use redis-types.{payload, error};
                handle-message: func(message: payload) -> result<_, error>;
            }
            world redis-guest { export inbound-redis; }
        ",
        pub_export_macro: true,
        export_macro_name: "export_redis",
        default_bindings_module: "edge::trigger::redis",
    });
}

/// The export that the host calls.
#[doc(hidden)]
#[allow(missing_docs, unsafe_code)]
pub mod cron {
    wit_bindgen::generate!({
        path: "../../wit/deps/spin-cron@2.0.0",
        world: "spin-cron",
        pub_export_macro: true,
        export_macro_name: "export_cron",
        default_bindings_module: "edge::trigger::cron",
    });
}

/// Makes a component that runs `$handler: fn()` at every message of its channel.
#[macro_export]
macro_rules! redis_component {
    ($handler:path) => {
        struct Component;
        impl $crate::trigger::redis::exports::fermyon::spin::inbound_redis::Guest for Component {
            fn handle_message(
                _message: Vec<u8>,
            ) -> Result<(), $crate::trigger::redis::exports::fermyon::spin::inbound_redis::Error> {
                $handler();
                Ok(())
            }
        }
        $crate::trigger::redis::export_redis!(Component with_types_in $crate::trigger::redis);
    };
}

/// Makes a component that runs `$handler: fn()` at every instant of its schedule.
#[macro_export]
macro_rules! cron_component {
    ($handler:path) => {
        struct Component;
        impl $crate::trigger::cron::Guest for Component {
            fn handle_cron_event(
                _metadata: $crate::trigger::cron::Metadata,
            ) -> Result<(), $crate::trigger::cron::Error> {
                $handler();
                Ok(())
            }
        }
        $crate::trigger::cron::export_cron!(Component with_types_in $crate::trigger::cron);
    };
}
