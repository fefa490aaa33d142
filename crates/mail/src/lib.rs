//! The words of mail: addresses, header fields, Authentication-Results, enhanced status codes.

pub mod domain;
mod enhanced_status;

pub use enhanced_status::EnhancedStatus;
