//! The template, the roles, the table, the workflows, the cost.

mod cost;
mod deploy_role;
mod policy;
mod table;
mod template;
mod workflows;
