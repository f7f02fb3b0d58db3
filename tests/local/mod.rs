//! The local system: that it behaves like what it stands for.

mod desk;
mod dynamo;
mod gateway;
mod http;
mod mapping;
mod message;
mod ses;
