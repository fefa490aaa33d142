macro_rules! attributes {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// An attribute of a request: those of SMTPD_POLICY_README, in the order in which Postfix
        /// sends them, and one of ours.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Attribute { $($(#[$doc])+ $name,)+ }

        impl Attribute {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// How many there are.
            pub(crate) const COUNT: usize = Self::ALL.len();

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

attributes! {
    /// What is asked: `smtpd_access_policy`.
    Request = "request",
    /// How far the message has come: see [`super::ProtocolState`].
    ProtocolState = "protocol_state",
    /// `SMTP` or `ESMTP`.
    ProtocolName = "protocol_name",
    /// The client's address, bare; `unknown` if it is not known.
    ClientAddress = "client_address",
    /// The client's name, confirmed by its address; or `unknown`.
    ClientName = "client_name",
    /// The client's port.
    ClientPort = "client_port",
    /// The client's name, not confirmed; or `unknown`.
    ReverseClientName = "reverse_client_name",
    /// The address that the client connected to.
    ServerAddress = "server_address",
    /// The port that the client connected to.
    ServerPort = "server_port",
    /// The argument of HELO or EHLO.
    HeloName = "helo_name",
    /// The reverse-path, without quotes and angle brackets; empty for the null one.
    Sender = "sender",
    /// The forward-path; empty before RCPT, and after it if there are several.
    Recipient = "recipient",
    /// How many recipients were taken; 0 before DATA.
    RecipientCount = "recipient_count",
    /// The mail server's id of the message; empty before the first recipient was taken.
    QueueId = "queue_id",
    /// The same for all requests about one message, and for no other message.
    Instance = "instance",
    /// The announced size, at the end the real one.
    Size = "size",
    /// The argument of ETRN.
    EtrnDomain = "etrn_domain",
    /// Whether the mail server is overloaded.
    Stress = "stress",
    /// How the client logged in.
    SaslMethod = "sasl_method",
    /// The name under which the client logged in.
    SaslUsername = "sasl_username",
    /// The client's AUTH parameter of MAIL.
    SaslSender = "sasl_sender",
    /// The subject of the client's certificate.
    CcertSubject = "ccert_subject",
    /// Who issued the client's certificate.
    CcertIssuer = "ccert_issuer",
    /// A digest of the client's certificate.
    CcertFingerprint = "ccert_fingerprint",
    /// A digest of the client's public key.
    CcertPubkeyFingerprint = "ccert_pubkey_fingerprint",
    /// The version of TLS.
    EncryptionProtocol = "encryption_protocol",
    /// The cipher.
    EncryptionCipher = "encryption_cipher",
    /// The cipher's strength in bits.
    EncryptionKeysize = "encryption_keysize",
    /// What the operator wrote at the restriction.
    PolicyContext = "policy_context",
    /// Which Postfix's defaults hold.
    CompatibilityLevel = "compatibility_level",
    /// Postfix's version.
    MailVersion = "mail_version",
    /// Of ours: the message's header in Base64 (RFC 4648 section 4), where a mail server has it.
    HeaderBase64 = "header_base64",
}

impl Attribute {
    /// The attribute of a name; where it probably stands in the table is looked at first.
    pub(crate) fn find(name: &[u8], probable: usize) -> Option<Self> {
        let is = |attribute: &&Self| attribute.name().as_bytes() == name;
        let probable = Self::ALL.get(probable).filter(is);
        probable.or_else(|| Self::ALL.iter().find(is)).copied()
    }
}
