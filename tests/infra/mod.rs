//! The template, the roles, the table, the workflows, the cost.

pub mod cost;
mod deploy_role;
mod documents;
mod drills;
mod policy;
mod table;
mod template;
mod workflows;
