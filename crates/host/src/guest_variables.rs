//! `fermyon:spin/variables@2.0.0`: what a component's `[component.<id>.variables]` say.

use crate::bindings::imports::fermyon::spin::variables::{Error, Host};
use crate::instance::Instance;
use crate::variables::is_variable_name;

impl Host for Instance {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        Ok(match self.component.variables.get(&name) {
            Some(value) => Ok(value.clone()),
            None if is_variable_name(&name) => {
                Err(Error::Undefined(format!("no variable `{name}` for this component")))
            }
            None => Err(Error::InvalidName(name)),
        })
    }
}
