//! Documents as trees of elements: no DTD, no entities but the five that XML has, and bounds.

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use thiserror::Error;

use crate::NAMESPACE;

/// How deep elements may stand in each other.
pub const DEPTH_MAX: usize = 8;

/// How many elements and attributes a document may have.
pub const NODES_MAX: usize = 2000;

/// Where a document cannot be used, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{kind} (octets {} to {} of the document)", span.0, span.1)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Where, in octets of the document: start and end.
    pub span: (u32, u32),
}

/// Why a document cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum FaultKind {
    /// Not UTF-8, or said to be something else.
    #[error("the document is not UTF-8")]
    Encoding,
    /// Longer than a document may be, or in too many records.
    #[error("the document is too long, or in too many records")]
    TooLarge,
    /// Not well-formed.
    #[error("this is not well-formed XML")]
    Malformed,
    /// A document type.
    #[error("a document type, which no document may have")]
    DocumentType,
    /// An entity that XML does not have itself.
    #[error("an entity that XML itself does not have")]
    Entity,
    /// Elements that stand too deep in each other.
    #[error("elements stand deeper than {DEPTH_MAX} in each other")]
    TooDeep,
    /// Too many elements and attributes.
    #[error("there are more than {NODES_MAX} elements and attributes")]
    TooManyNodes,
    /// Another document than one of Caller ID.
    #[error("the root is not `ep` of {NAMESPACE}")]
    Root,
    /// An element of the namespace that the draft does not have there.
    #[error("an element that the draft does not have here")]
    Element,
    /// An element that may stand once only.
    #[error("an element that may stand only once")]
    Repeated,
    /// A value that is none of its kind.
    #[error("a value that is none of its kind")]
    Value,
    /// `noMailServers` beside `m`.
    #[error("`noMailServers` and `m` contradict each other")]
    Contradiction,
}

impl FaultKind {
    /// The stable word of findings.
    pub fn cause(self) -> &'static str {
        match self {
            Self::Encoding => "not-utf8",
            Self::TooLarge => "document-too-large",
            Self::Malformed => "bad-xml",
            Self::DocumentType => "document-type",
            Self::Entity => "foreign-entity",
            Self::TooDeep => "too-deep",
            Self::TooManyNodes => "too-many-nodes",
            Self::Root => "wrong-root",
            Self::Element => "unknown-element",
            Self::Repeated => "repeated-element",
            Self::Value => "bad-value",
            Self::Contradiction => "no-mail-servers-and-m",
        }
    }

    pub(crate) fn at(self, span: (u32, u32)) -> Fault {
        Fault { kind: self, span }
    }
}

/// An element with what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// The local name, if the element is one of [`NAMESPACE`].
    pub(crate) name: Option<String>,
    /// The attributes without a namespace, in order.
    pub(crate) attributes: Vec<(String, String)>,
    /// All text that is directly in it.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
    /// Where it stands in the document, in octets: start and end.
    pub(crate) span: (u32, u32),
}

impl Element {
    /// The children of the namespace: their names, and they.
    pub(crate) fn own(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.children.iter().filter_map(|child| Some((child.name.as_deref()?, child)))
    }

    /// An attribute's value.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads a document.
pub(crate) fn parse(text: &str) -> Result<Element, Fault> {
    let mut reader = Tree { open: Vec::new(), root: None, nodes: 0 };
    let mut events = NsReader::from_str(text);
    events.config_mut().expand_empty_elements = false;
    events.config_mut().check_comments = true;
    loop {
        let start = offset(events.buffer_position());
        let event = events
            .read_event()
            .map_err(|_| FaultKind::Malformed.at(markup(text, events.error_position())))?;
        let span = (start, offset(events.buffer_position()));
        match event {
            Event::Start(tag) => {
                let element = reader.element(&tag, &events, span)?;
                reader.open.push(element);
            }
            Event::Empty(tag) => {
                let element = reader.element(&tag, &events, span)?;
                reader.close(element, span)?;
            }
            Event::End(_) => {
                let element = reader.open.pop().ok_or(FaultKind::Malformed.at(span))?;
                reader.close(element, span)?;
            }
            Event::Text(text) => reader.text(&text.xml10_content(), span)?,
            Event::CData(text) => reader.text(&text.xml10_content(), span)?,
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Some(character),
                    Ok(None) => built_in(&name),
                    Err(_) => return Err(FaultKind::Malformed.at(span)),
                };
                let character = character.ok_or(FaultKind::Entity.at(span))?;
                reader.text(character.encode_utf8(&mut [0; 4]), span)?;
            }
            Event::Decl(declaration) => {
                let is_utf8 = declaration.encoding().is_none_or(|encoding| {
                    encoding.is_ok_and(|encoding| encoding.eq_ignore_ascii_case("UTF-8"))
                });
                if !is_utf8 {
                    return Err(FaultKind::Encoding.at(span));
                }
                if start != 0 {
                    return Err(FaultKind::Malformed.at(span));
                }
            }
            Event::DocType(_) => return Err(FaultKind::DocumentType.at(span)),
            Event::Comment(_) | Event::PI(_) => reader.count(1, span)?,
            Event::Eof => return reader.finish(span),
        }
    }
}

/// The tree while it grows.
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    nodes: usize,
}

impl Tree {
    fn count(&mut self, nodes: usize, span: (u32, u32)) -> Result<(), Fault> {
        self.nodes += nodes;
        if self.nodes > NODES_MAX { Err(FaultKind::TooManyNodes.at(span)) } else { Ok(()) }
    }

    fn element(
        &mut self,
        tag: &BytesStart<'_>,
        reader: &NsReader<&[u8]>,
        span: (u32, u32),
    ) -> Result<Element, Fault> {
        if self.open.len() == DEPTH_MAX {
            return Err(FaultKind::TooDeep.at(span));
        }
        self.count(1, span)?;
        let malformed = || FaultKind::Malformed.at(span);
        let (namespace, name) = reader.resolver().resolve_element(tag.name());
        let is_own = match namespace {
            ResolveResult::Bound(namespace) => namespace.as_ref() == NAMESPACE,
            ResolveResult::Unbound => false,
            ResolveResult::Unknown(_) => return Err(malformed()),
        };
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| malformed())?;
            self.count(1, span)?;
            let key = attribute.key;
            if key.prefix().is_some() || key.as_namespace_binding().is_some() {
                continue;
            }
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Explicit1_0)
                .map_err(|_| FaultKind::Entity.at(span))?;
            attributes.push((key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Element {
            name: is_own.then(|| name.as_ref().to_owned()),
            attributes,
            text: String::new(),
            children: Vec::new(),
            span,
        })
    }

    fn close(&mut self, mut element: Element, span: (u32, u32)) -> Result<(), Fault> {
        element.span.1 = span.1;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None if self.root.is_none() => self.root = Some(element),
            None => return Err(FaultKind::Malformed.at(element.span)),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, span: (u32, u32)) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.bytes().all(is_blank) => {}
            None => return Err(FaultKind::Malformed.at(span)),
        }
        Ok(())
    }

    /// The root, at the end; what was never closed is wrong where it begins.
    fn finish(self, span: (u32, u32)) -> Result<Element, Fault> {
        match self.open.last() {
            Some(open) => Err(FaultKind::Malformed.at(open.span)),
            None => self.root.ok_or(FaultKind::Malformed.at(span)),
        }
    }
}

/// The tag, or whatever begins at this place: up to a `>`, or to the end.
fn markup(text: &str, position: u64) -> (u32, u32) {
    let start = usize::try_from(position).unwrap_or(usize::MAX).min(text.len());
    let length = text.as_bytes()[start..].iter().position(|octet| *octet == b'>');
    let end = length.map_or(text.len(), |length| start + length + 1);
    (offset(start as u64), offset(end as u64))
}

/// White space of XML.
pub(crate) fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

fn built_in(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

fn offset(position: u64) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> FaultKind {
        parse(text).unwrap_err().kind
    }

    #[test]
    fn elements_with_their_places() {
        let text = "<?xml version='1.0' encoding='utf-8'?>\n<ep xmlns='http://ms.net/1' \
                    xmlns:x='urn:x' testing='true' x:y='z'><a> 192&#46;0.2.1<![CDATA[ ]]></a>\
                    <x:other/></ep>\n<!-- end -->";
        let root = parse(text).unwrap();
        assert_eq!(root.name.as_deref(), Some("ep"));
        assert_eq!(root.attributes, [("testing".to_owned(), "true".to_owned())]);
        let [a, other] = &*root.children else { panic!("{root:?}") };
        assert_eq!((a.name.as_deref(), &*a.text), (Some("a"), " 192.0.2.1 "));
        assert_eq!(
            &text[a.span.0 as usize..a.span.1 as usize],
            "<a> 192&#46;0.2.1<![CDATA[ ]]></a>"
        );
        assert_eq!(&text[other.span.0 as usize..other.span.1 as usize], "<x:other/>");
        assert_eq!(other.name, None);
        assert_eq!(parse("<p:ep xmlns:p='http://ms.net/1'/>").unwrap().name.as_deref(), Some("ep"));
        assert_eq!(parse("<ep/>").unwrap().name, None);
    }

    /// XML bombs, and whatever else reaches outside of the document.
    #[test]
    fn no_document_type_and_no_entities() {
        use FaultKind::{DocumentType, Encoding, Entity};
        assert_eq!(
            fault("<!DOCTYPE ep [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><ep>&b;</ep>"),
            DocumentType
        );
        assert_eq!(fault("<!DOCTYPE ep SYSTEM 'file:///etc/passwd'><ep/>"), DocumentType);
        assert_eq!(fault("<ep>&b;</ep>"), Entity);
        assert_eq!(fault("<ep a='&b;'/>"), Entity);
        assert_eq!(fault("<?xml version='1.0' encoding='UTF-16'?><ep/>"), Encoding);
        assert_eq!(parse("<ep>&lt;&gt;&amp;&apos;&quot;&#x41;</ep>").unwrap().text, "<>&'\"A");
    }

    #[test]
    fn depth_and_nodes_are_bounded() {
        let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(parse(&deep(DEPTH_MAX)).is_ok());
        assert_eq!(fault(&deep(DEPTH_MAX + 1)), FaultKind::TooDeep);
        assert_eq!(fault(&"<a>".repeat(100_000)), FaultKind::TooDeep);
        let wide = |children: usize| format!("<a>{}</a>", "<b/>".repeat(children));
        assert!(parse(&wide(NODES_MAX - 1)).is_ok());
        assert_eq!(fault(&wide(NODES_MAX)), FaultKind::TooManyNodes);
        let attributes: String = (0..NODES_MAX).map(|index| format!(" a{index}=''")).collect();
        assert_eq!(fault(&format!("<a{attributes}/>")), FaultKind::TooManyNodes);
        assert_eq!(
            fault(&format!("<a>{}</a>", "<!---->".repeat(NODES_MAX))),
            FaultKind::TooManyNodes
        );
    }

    #[test]
    fn what_is_not_well_formed() {
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>x",
            "x<a/>",
            "<a b='1' b='2'/>",
            "<a b=1/>",
            "<a &lt;/>",
            "<x:a/>",
            "<a/><?xml version='1.0'?>",
            "<a",
            "<!-- a -- b --><a/>",
            "<a>&#x110000;</a>",
            "<a>&</a>",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([<>/&;'\" =!a-c\\[\\]-]{0,4}(ep|m|a|xmlns)?){0,12}") {
            if let Ok(root) = parse(&text) {
                prop_assert!(text.get(root.span.0 as usize..root.span.1 as usize).is_some());
            }
        }
    }
}
