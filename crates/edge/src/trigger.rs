//! Components that a Redis message or a cron schedule starts. The bindings are generated in the component: generated
//! here, their types would be imported by every component.

/// Makes a component that runs `$handler: fn()` at every message of its channel.
#[macro_export]
macro_rules! redis_component {
    ($handler:ident) => {
        mod exported {
            #![allow(missing_docs, unsafe_code, reason = "generated exports")]
            $crate::wit_bindgen::generate!({
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
                runtime_path: "edge::wit_bindgen::rt",
            });
            struct Component;
            impl exports::fermyon::spin::inbound_redis::Guest for Component {
                fn handle_message(_message: Vec<u8>) -> Result<(), exports::fermyon::spin::inbound_redis::Error> {
                    super::$handler();
                    Ok(())
                }
            }
            export!(Component);
        }
    };
}

/// Makes a component that runs `$handler: fn()` at every instant of its schedule.
#[macro_export]
macro_rules! cron_component {
    ($handler:ident) => {
        mod exported {
            #![allow(missing_docs, unsafe_code, reason = "generated exports")]
            $crate::wit_bindgen::generate!({
                path: "../../wit/deps/spin-cron@2.0.0",
                world: "spin-cron",
                runtime_path: "edge::wit_bindgen::rt",
            });
            struct Component;
            impl Guest for Component {
                fn handle_cron_event(_metadata: Metadata) -> Result<(), Error> {
                    super::$handler();
                    Ok(())
                }
            }
            export!(Component);
        }
    };
}
