use std::net::IpAddr;

use quivive_mail::domain::{is_fully_qualified, to_ascii};

use crate::xml::{self, Element, Fault, FaultKind};

/// An e-mail policy document (draft-atkinson-callerid-00 section 4), as far as it is about outgoing
/// mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    text: Box<str>,
    /// The domain only tries it out: it says nothing.
    pub testing: bool,
    /// Whom the document is about.
    pub scope: Scope,
    /// What it says of outgoing mail, if it does.
    pub outgoing: Option<Outgoing>,
}

/// Whom a document is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The domain where it is found.
    Unsaid,
    /// This domain.
    Domain(Box<str>),
    /// An address, a message, or something that we do not know: nobody's domain.
    Other,
}

/// What a domain says of its outgoing mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Mail comes from the domain's own servers directly, and through no other.
    pub direct_only: bool,
    /// The servers.
    pub servers: Servers,
}

/// The servers that send a domain's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Servers {
    /// Nothing is said of them.
    Unsaid,
    /// There are none: the domain sends no mail.
    Nobody,
    /// All of these together.
    Sets(Box<[Mailers]>),
}

/// One set of servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailers {
    /// Whether they send the enhanced NOOP (section 5.2); nothing is made of it.
    pub enhanced_noop: Option<bool>,
    /// What belongs to the set. Nothing: the domain's mail exchangers.
    pub parts: Box<[Place]>,
}

/// A part of a set with its place in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The part.
    pub part: Part,
    /// Where it stands, in octets: start and end.
    pub span: (u32, u32),
}

/// A part of a set of servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The servers of another domain.
    Indirect(Box<str>),
    /// An address.
    Address(IpAddr),
    /// The addresses of a host; none named: of the domain.
    Host(Option<Box<str>>),
    /// A range of addresses, which belong to the set or are taken out of it.
    Range {
        /// An address of the range.
        address: IpAddr,
        /// How many bits of it count.
        prefix: u8,
        /// Taken out.
        excluded: bool,
    },
    /// The mail exchangers of a domain; none named: of this one.
    MailExchangers(Option<Box<str>>),
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// Where it cannot be used, and why.
    pub fn parse(octets: &[u8]) -> Result<Self, Fault> {
        let text = str::from_utf8(octets).map_err(|error| {
            let at = u32::try_from(error.valid_up_to()).unwrap_or(u32::MAX);
            FaultKind::Encoding.at((at, at))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let root = xml::parse(text)?;
        if root.name.as_deref() != Some("ep") {
            return Err(FaultKind::Root.at(root.span));
        }
        let mut document = Self {
            text: text.into(),
            testing: boolean(&root, "testing")?.unwrap_or(false),
            scope: Scope::Unsaid,
            outgoing: None,
        };
        let mut seen: Vec<&str> = Vec::new();
        for (name, child) in root.own() {
            match name {
                "scope" => document.scope = scope(child),
                "out" => document.outgoing = Some(outgoing(child)?),
                "in" | "internal" => {}
                _ => return Err(FaultKind::Element.at(child.span)),
            }
            if seen.contains(&name) {
                return Err(FaultKind::Repeated.at(child.span));
            }
            seen.push(name);
        }
        Ok(document)
    }

    /// The document as it was published.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A part of the text.
    pub fn slice(&self, (start, end): (u32, u32)) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Whether it is about the domain at which it was found (section 4.1).
    pub fn is_about(&self, domain: &str) -> bool {
        match &self.scope {
            Scope::Unsaid => true,
            Scope::Domain(about) => **about == *domain,
            Scope::Other => false,
        }
    }
}

/// A scope that is not known voids the document; so do those that are not about a domain, where it
/// stands in DNS.
fn scope(element: &Element) -> Scope {
    match &*element.children {
        [] => Scope::Unsaid,
        [sole] if sole.name.as_deref() == Some("domain") => Scope::Domain(name_of(sole).into()),
        _ => Scope::Other,
    }
}

fn outgoing(element: &Element) -> Result<Outgoing, Fault> {
    let mut nobody = false;
    let mut sets = Vec::new();
    for (name, child) in element.own() {
        match name {
            "noMailServers" if nobody => return Err(FaultKind::Repeated.at(child.span)),
            "noMailServers" => nobody = true,
            "m" => sets.push(mailers(child)?),
            // What it means is not said in the draft.
            "cdl" => {}
            _ => return Err(FaultKind::Element.at(child.span)),
        }
    }
    if nobody && !sets.is_empty() {
        return Err(FaultKind::Contradiction.at(element.span));
    }
    Ok(Outgoing {
        direct_only: boolean(element, "directOnly")?.unwrap_or(false),
        servers: match (nobody, &*sets) {
            (true, _) => Servers::Nobody,
            (false, []) => Servers::Unsaid,
            (false, _) => Servers::Sets(sets.into()),
        },
    })
}

fn mailers(element: &Element) -> Result<Mailers, Fault> {
    let mut parts = Vec::new();
    for (name, child) in element.own() {
        let part = match name {
            "indirect" => Part::Indirect(domain(child)?.ok_or(FaultKind::Value.at(child.span))?),
            "a" => address(child)?,
            "r" => range(child)?,
            "mx" => Part::MailExchangers(domain(child)?),
            _ => return Err(FaultKind::Element.at(child.span)),
        };
        parts.push(Place { part, span: child.span });
    }
    boolean(element, "allETPSigned")?;
    Ok(Mailers { enhanced_noop: boolean(element, "eNoop")?, parts: parts.into() })
}

/// `a`: an address, a host, or nothing.
fn address(element: &Element) -> Result<Part, Fault> {
    match value(element)?.parse() {
        Ok(address) => Ok(Part::Address(address)),
        Err(_) => Ok(Part::Host(domain(element)?)),
    }
}

/// `r`: `[!]address/prefix`; bits behind the prefix do not count.
fn range(element: &Element) -> Result<Part, Fault> {
    let wrong = FaultKind::Value.at(element.span);
    let text = value(element)?;
    let (text, excluded) = match text.strip_prefix('!') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (address, prefix) = text.split_once('/').ok_or(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong)?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let is_number = prefix.bytes().all(|octet| octet.is_ascii_digit());
    let prefix = prefix.parse().ok().filter(|prefix| is_number && *prefix <= longest);
    Ok(Part::Range { address, prefix: prefix.ok_or(wrong)?, excluded })
}

/// A domain or host name; none if there is no text.
fn domain(element: &Element) -> Result<Option<Box<str>>, Fault> {
    let text = value(element)?;
    let name = to_ascii(text);
    match (text.is_empty(), is_fully_qualified(&name)) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(name.into())),
        (false, false) => Err(FaultKind::Value.at(element.span)),
    }
}

/// The text of an element without children of the namespace, without white space around it: the
/// draft's own example has some.
fn value(element: &Element) -> Result<&str, Fault> {
    match element.own().next() {
        Some((_, child)) => Err(FaultKind::Element.at(child.span)),
        None => Ok(element
            .text
            .trim_matches(|letter: char| u8::try_from(letter).is_ok_and(xml::is_blank))),
    }
}

fn name_of(element: &Element) -> String {
    to_ascii(element.text.trim())
}

/// `xs:boolean`
fn boolean(element: &Element, name: &str) -> Result<Option<bool>, Fault> {
    match element.attribute(name).map(str::trim) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(FaultKind::Value.at(element.span)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(out: &str) -> Result<Document, Fault> {
        Document::parse(format!("<ep xmlns='http://ms.net/1'>{out}</ep>").as_bytes())
    }

    fn fault(out: &str) -> FaultKind {
        of(out).unwrap_err().kind
    }

    fn parts(out: &str) -> Vec<Part> {
        let document = of(out).unwrap();
        let Servers::Sets(sets) = document.outgoing.unwrap().servers else { panic!("{out}") };
        sets.iter().flat_map(|set| &set.parts).map(|place| place.part.clone()).collect()
    }

    /// Sheet caller-id.md, section 7.
    #[test]
    fn section_7_documents() {
        let address: IpAddr = "192.168.210.101".parse().unwrap();
        assert_eq!(parts("<out><m><mx/></m></out>"), [Part::MailExchangers(None)]);
        assert_eq!(parts("<out><m><a> 192.168.210.101</a></m></out>"), [Part::Address(address)]);
        assert_eq!(
            parts("<out><m><r>192.168.210.101/28</r></m></out>"),
            [Part::Range { address, prefix: 28, excluded: false }]
        );
        assert_eq!(
            parts(
                "<out><m><indirect>contoso.com</indirect></m><m><mx/></m>\
                 <m><a>192.168.210.101</a></m></out>"
            ),
            [
                Part::Indirect("contoso.com".into()),
                Part::MailExchangers(None),
                Part::Address(address)
            ]
        );
        let nobody = of("<out><noMailServers/></out>").unwrap().outgoing.unwrap();
        assert_eq!(nobody.servers, Servers::Nobody);
    }

    /// Sheet caller-id.md, section 2.2.
    #[test]
    fn section_2_2_values() {
        assert_eq!(
            parts(
                "<out><m><a>2001:DB8::1</a><a>::ffff:192.0.2.1</a><a/><a> Mail.Example.Com. </a>\
                 <r> !2001:db8::/32 </r><mx>example.com</mx></m></out>"
            ),
            [
                Part::Address("2001:db8::1".parse().unwrap()),
                Part::Address("::ffff:192.0.2.1".parse().unwrap()),
                Part::Host(None),
                Part::Host(Some("mail.example.com".into())),
                Part::Range { address: "2001:db8::".parse().unwrap(), prefix: 32, excluded: true },
                Part::MailExchangers(Some("example.com".into())),
            ]
        );
        for out in [
            "<out><m><a>192.0.2.256</a></m></out>",
            "<out><m><a>localhost</a></m></out>",
            "<out><m><r>192.0.2.0</r></m></out>",
            "<out><m><r>192.0.2.0/33</r></m></out>",
            "<out><m><r>192.0.2.0/+8</r></m></out>",
            "<out><m><r>!!192.0.2.0/8</r></m></out>",
            "<out><m><r>2001:db8::/129</r></m></out>",
            "<out><m><indirect/></m></out>",
            "<out directOnly='maybe'/>",
            "<out><m eNoop='2'/></out>",
        ] {
            assert_eq!(fault(out), FaultKind::Value, "{out}");
        }
    }

    #[test]
    fn section_2_2_elements() {
        assert_eq!(fault("<out><n/></out>"), FaultKind::Element);
        assert_eq!(fault("<outgoing/>"), FaultKind::Element);
        assert_eq!(fault("<out><m><a><b/></a></m></out>"), FaultKind::Element);
        assert_eq!(fault("<out/><out/>"), FaultKind::Repeated);
        assert_eq!(fault("<out><noMailServers/><m/></out>"), FaultKind::Contradiction);
        // Foreign elements and attributes are passed over, wherever they stand.
        let document =
            of("<in><hashedPuzzle nMin='1'/></in><out y='1'><x:z xmlns:x='u'><a/></x:z>\
                           <m><mx/></m><cdl>?</cdl></out><internal><edgeHeader>x</edgeHeader>\
                           </internal><x:z xmlns:x='u'/>");
        assert!(document.unwrap().outgoing.is_some());
        let document =
            of("<out directOnly=' 1 '><m eNoop='true' allETPSigned='0'/></out>").unwrap();
        let outgoing = document.outgoing.unwrap();
        let Servers::Sets(sets) = &outgoing.servers else { panic!() };
        assert_eq!((outgoing.direct_only, sets[0].enhanced_noop), (true, Some(true)));
        assert!(sets[0].parts.is_empty());
    }

    #[test]
    fn section_2_2_scopes() {
        let is_about = |scope: &str| of(scope).unwrap().is_about("example.com");
        assert!(is_about("") && is_about("<scope/>"));
        assert!(is_about("<scope><domain> Example.Com </domain></scope>"));
        for scope in [
            "<scope><domain>example.net</domain></scope>",
            "<scope><element>a@example.com</element></scope>",
            "<scope><message-id>1@example.com</message-id></scope>",
            "<scope><x:y xmlns:x='u'/></scope>",
        ] {
            assert!(!is_about(scope), "{scope}");
        }
    }

    #[test]
    fn other_documents() {
        for text in ["<ep/>", "<ep xmlns='http://ms.net/2'/>", "<x xmlns='http://ms.net/1'/>"] {
            assert_eq!(
                Document::parse(text.as_bytes()).unwrap_err().kind,
                FaultKind::Root,
                "{text}"
            );
        }
        assert_eq!(Document::parse(b"<ep>\xff</ep>").unwrap_err().kind, FaultKind::Encoding);
        assert!(Document::parse("\u{feff}<ep xmlns='http://ms.net/1'/>".as_bytes()).is_ok());
    }
}
