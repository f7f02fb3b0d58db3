//! From the post to the table, and the limits on the way.

mod end_to_end;
mod rate_limits;
