//! Wakes the relay when a hint comes over Redis. A component that Redis triggers may not chain, so it calls the relay's
//! route over plain HTTP.

edge::redis_component!(wake);

fn wake() {
    edge::send::tick("/internal/relay/run");
}
