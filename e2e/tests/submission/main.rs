//! Users who log in, and what they may send as: through our own listener, and through a real
//! Postfix by milter and by policy service, as the page says.

mod bypasses;
mod grants;
mod logins;
mod onward;
mod watched;
