//! From the post to the table, the limits on the way, and what the client does afterwards.

mod end_to_end;
mod own_page;
mod practice_copy;
mod rate_limits;
mod round_trips;
