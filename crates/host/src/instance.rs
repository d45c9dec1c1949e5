//! The state of one running guest: what the host's interfaces act on, its limits, and what went wrong around it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use wasmtime::component::ResourceTable;
use wasmtime::{CallHook, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::engine;
use crate::http_out::Outgoing;
use crate::runtime::{Component, Runtime};
use crate::telemetry::Scope;
use crate::testbed::TestBed;
use crate::wasi;

/// The data of a guest's store. It lives for one request or event.
pub struct Instance {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) component: Arc<Component>,
    pub(crate) table: ResourceTable,
    pub(crate) trace: Trace,
    pub(crate) fault: FirstFault,
    pub(crate) scope: Scope,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
}

impl Instance {
    /// A store for a new instance of `component` that `cause` makes run; `fault` tells what spoils its answer, and in
    /// `scope` begin the spans of what it does outside.
    pub fn store(
        runtime: &Arc<Runtime>,
        component: &Arc<Component>,
        cause: Cause,
        fault: FirstFault,
        scope: Scope,
    ) -> anyhow::Result<Store<Self>> {
        let trace = Trace { bed: runtime.bed.clone(), component: component.id.clone(), current: Arc::default() };
        let instance = Instance {
            runtime: runtime.clone(),
            component: component.clone(),
            table: ResourceTable::new(),
            wasi: wasi::context(&component.id, &component.environment, &component.mounts, &runtime.bed)?,
            http: WasiHttpCtx::new(),
            outgoing: Outgoing::new(runtime, component, cause, &trace, &fault, &scope),
            trace,
            fault,
            scope,
        };
        let mut store = Store::new(&runtime.engine, instance);
        if runtime.bed.is_recording() {
            store.call_hook(|store, hook| Ok(store.data().trace.hook(hook)?));
            // Giving way would count as a host call, at the whim of the machine's clock.
            store.set_epoch_deadline(engine::ticks(runtime.limits.wall));
        } else {
            // A guest that computes gives way at every tick, so that others run and its time limit can strike.
            store.epoch_deadline_async_yield_and_update(1);
        }
        Ok(store)
    }
}

/// What makes an instance run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A request.
    Request,
    /// A message or the clock. Spin lets such components call no others in process.
    Event,
}

impl WasiView for Instance {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Instance {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}

/// Counts the calls of one instance in the test bed. A clone belongs to the same instance.
#[derive(Clone)]
pub struct Trace {
    bed: TestBed,
    component: Arc<str>,
    current: Arc<AtomicU64>,
}

impl Trace {
    /// Says what the present call does outside the guest.
    pub fn effect(&self, effect: impl FnOnce() -> String) {
        let index = self.current.load(Ordering::Relaxed);
        if index != 0 {
            self.bed.set_effect(index, effect());
        }
    }

    fn hook(&self, hook: CallHook) -> Result<(), crate::testbed::Fault> {
        match hook {
            CallHook::CallingHost => {
                let index = self.bed.call_begins(&self.component)?;
                self.current.store(index, Ordering::Relaxed);
                Ok(())
            }
            CallHook::ReturningFromHost => self.bed.call_ends(self.current.load(Ordering::Relaxed)),
            CallHook::CallingWasm | CallHook::ReturningFromWasm => Ok(()),
        }
    }
}

/// The first thing that makes an instance's answer a 500 though its guest may be content. A clone is the same.
#[derive(Clone, Default)]
pub struct FirstFault(Arc<OnceLock<String>>);

impl FirstFault {
    /// Keeps `text` unless there was a fault before.
    pub fn set(&self, text: impl Into<String>) {
        let _ = self.0.set(text.into());
    }

    /// What went wrong.
    pub fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}
