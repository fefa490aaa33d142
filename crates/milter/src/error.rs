/// Why what an MTA sends cannot be understood. The connection is of no more use: the next packet
/// cannot be found, or nobody knows what state the two sides are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A packet without a command.
    #[error("a packet is empty")]
    Empty,
    /// A packet that is longer than such packets may be.
    #[error("a packet `{}` announces {octets} octets", printable(*command))]
    TooLong {
        /// Its command.
        command: u8,
        /// What it announces.
        octets: u32,
    },
    /// A command that no MTA has.
    #[error("`{}` is no command", printable(*.0))]
    Unknown(u8),
    /// A command whose data are not what they must be.
    #[error("the data of the command `{}` are malformed", printable(*.0))]
    Malformed(u8),
    /// A command that cannot come here.
    #[error("the command `{}` comes out of order", printable(*.0))]
    OutOfOrder(u8),
    /// A version of the protocol that is too old.
    #[error("version {0} of the protocol is too old; 2 is the least")]
    Version(u32),
}

fn printable(command: u8) -> impl std::fmt::Display {
    command.escape_ascii()
}
