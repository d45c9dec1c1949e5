//! The contract of events: schemas, frozen examples, AsyncAPI, and that producers and consumers keep it.

mod asyncapi;
mod consumers;
mod examples;
pub mod published;
mod schemas;
mod story;
