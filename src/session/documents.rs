//! What devices told of themselves, read once and remembered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::syncml::codec::{Limits, decode_devinf};
use crate::syncml::{Carrier, DevInf};

/// Device informations that were read last. A device's is needed with nearly each of its messages, and reading it takes longer than
/// most of those.
#[derive(Debug, Default)]
pub struct Documents(Mutex<VecDeque<(Vec<u8>, Arc<DevInf<'static>>)>>);

impl Documents {
    /// Documents that are remembered.
    const MOST: usize = 64;
    /// Octets of one that is.
    const LARGEST: usize = 65_536;

    /// What a kept document says; `None` if there is none.
    pub(super) fn read(&self, xml: &[u8]) -> Option<Arc<DevInf<'static>>> {
        if xml.is_empty() {
            return None;
        }
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |(of, _): &&(Vec<u8>, _)| of == xml;
        if let Some((_, document)) = known().iter().find(find) {
            return Some(Arc::clone(document));
        }
        let read = decode_devinf(xml, Carrier::Xml, &Limits::default()).ok()?;
        let document = Arc::new(read.into_owned());
        if xml.len() <= Self::LARGEST {
            let mut known = known();
            known.truncate(Self::MOST - 1);
            known.push_front((xml.to_vec(), Arc::clone(&document)));
        }
        Some(document)
    }
}

#[cfg(test)]
mod tests {
    use super::Documents;

    fn document(model: usize) -> Vec<u8> {
        format!(
            "<DevInf xmlns='syncml:devinf'><VerDTD>1.1</VerDTD><Mod>{model}</Mod>\
             <DevID>1</DevID><DevTyp>phone</DevTyp></DevInf>"
        )
        .into_bytes()
    }

    #[test]
    fn a_document_is_read_once_and_few_are_remembered() {
        let documents = Documents::default();
        let read = |number| documents.read(&document(number)).unwrap();
        let first = read(0);
        assert_eq!(first.model.as_deref(), Some("0"));
        assert!(std::sync::Arc::ptr_eq(&first, &read(0)));
        for number in 1..=Documents::MOST {
            assert_eq!(read(number).model, Some(number.to_string().into()));
        }
        assert_eq!(documents.0.lock().unwrap().len(), Documents::MOST);
        let again = read(0);
        assert_eq!(again, first);
        assert!(
            !std::sync::Arc::ptr_eq(&again, &first),
            "it was forgotten meanwhile"
        );
        assert_eq!(documents.read(b""), None);
        assert_eq!(documents.read(b"<DevInf"), None);
    }
}
