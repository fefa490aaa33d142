//! The words of mail: addresses, header fields, Authentication-Results, enhanced status codes.
//!
//! Everything here reads hostile octets and writes text in which nothing a peer chose can start a
//! new line, end a comment or leave a quoted string.

mod address_list;
pub mod aliases;
pub mod authentication_results;
mod charset;
pub mod domain;
pub mod encoded_word;
mod enhanced_status;
pub mod field_body;
mod forged;
pub mod header;
pub mod header_edit;
mod mailbox;
mod path;
mod received_from;
mod scanner;
mod trace;

pub use address_list::{
    ADDRESSES_MAX, Address, AddressError, AddressFault, AddressList, NamedMailbox,
};
pub use aliases::Aliases;
pub use authentication_results::AuthenticationResults;
pub use charset::Charset;
pub use enhanced_status::EnhancedStatus;
pub use field_body::FieldBody;
pub use forged::{RESULT_FIELDS, forged};
pub use mailbox::{DOMAIN_MAX, LOCAL_PART_MAX, MailDomain, Mailbox};
pub use path::{ForwardPath, PATH_MAX, PathError, ReversePath, path_length};
pub use received_from::{RECEIVED_READ_MAX, ReceivedFrom};
pub use trace::{Protocol, Received, date_time};
