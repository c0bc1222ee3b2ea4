//! Known answers, limits, disorder, and everything there and back.

use proptest::prelude::*;

use super::*;
use crate::push::tests::{hex, prefixes};

fn cut(octets: usize, ports: Ports, reference: Reference) -> Vec<Segment> {
    let payload: Vec<u8> = (0..octets).map(|at| at as u8).collect();
    segments(&payload, ports, reference).unwrap()
}

#[test]
fn the_headers_are_those_of_the_field() {
    for (ports, octets, udh) in [
        (Ports::PUSH, 1, "06 05 04 0B 84 23 F0"),
        (Ports::PROVISIONING, 133, "06 05 04 0B 84 0B 84"),
        (Ports::OTA_BROWSER, 20, "06 05 04 C3 4F C0 02"),
        (Ports::OTA_SYNC, 20, "06 05 04 C3 4C C0 02"),
        (
            Ports::Narrow {
                destination: 0xF5,
                source: 2,
            },
            20,
            "04 04 02 F5 02",
        ),
    ] {
        let segments = cut(octets, ports, Reference::Octet(9));
        assert_eq!(segments.len(), 1);
        assert_eq!(segments[0].udh, hex(udh), "{udh}");
    }
    let segments = cut(134, Ports::PROVISIONING, Reference::Octet(0));
    let udh: Vec<_> = segments.iter().map(|segment| segment.udh.clone()).collect();
    assert_eq!(udh[0], hex("0B 05 04 0B 84 0B 84 00 03 00 02 01"));
    assert_eq!(udh[1], hex("0B 05 04 0B 84 0B 84 00 03 00 02 02"));
    assert_eq!(segments[0].body.len(), 128);
    let segments = cut(134, Ports::PUSH, Reference::Wide(0xABCD));
    assert_eq!(
        segments[0].udh,
        hex("0C 05 04 0B 84 23 F0 08 04 AB CD 02 01")
    );
    assert_eq!(segments[0].body.len(), 127);
}

#[test]
fn no_segment_has_more_than_a_short_message_holds() {
    for (octets, count) in [
        (0, 1),
        (133, 1),
        (134, 2),
        (256, 2),
        (257, 3),
        (255 * 128, 255),
    ] {
        let segments = cut(octets, Ports::PUSH, Reference::Octet(1));
        assert_eq!(segments.len(), count, "{octets}");
        assert!(
            segments
                .iter()
                .all(|segment| segment.udh.len() + segment.body.len() <= MESSAGE)
        );
    }
    let error = segments(&vec![0; 255 * 128 + 1], Ports::PUSH, Reference::Octet(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "32641 octets do not fit into the segments of one message, at most 32640 do"
    );
}

#[test]
fn disorder_and_repetition_do_no_harm() {
    let segments = cut(300, Ports::PUSH, Reference::Octet(7));
    let others = cut(200, Ports::PUSH, Reference::Octet(8));
    let mut reassembly = Reassembly::new();
    let mut add = |sender: &str, segment: &Segment| {
        reassembly
            .add(sender, &segment.udh, &segment.body)
            .unwrap()
            .map(|datagram| datagram.payload.len())
    };
    assert_eq!(add("+1", &segments[2]), None);
    assert_eq!(add("+1", &others[1]), None);
    assert_eq!(add("+2", &segments[0]), None);
    assert_eq!(add("+1", &segments[2]), None);
    assert_eq!(add("+1", &segments[0]), None);
    assert_eq!(add("+1", &others[0]), Some(200));
    assert_eq!(add("+1", &segments[1]), Some(300));
    let missing: Vec<_> = reassembly.missing().collect();
    let expected = Missing {
        sender: "+2".to_owned(),
        reference: Reference::Octet(7),
        total: 3,
        numbers: vec![2, 3],
    };
    assert_eq!(missing, [expected]);
}

#[test]
fn a_segment_that_differs_from_the_one_before_is_refused() {
    let segments = cut(300, Ports::PUSH, Reference::Octet(7));
    let mut reassembly = Reassembly::new();
    let first = &segments[0];
    reassembly.add("+1", &first.udh, &first.body).unwrap();
    let error = reassembly.add("+1", &first.udh, b"other").unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::SegmentDiffers(1));
    for segment in &segments[1..2] {
        reassembly.add("+1", &segment.udh, &segment.body).unwrap();
    }
    let whole = reassembly.add("+1", &segments[2].udh, &segments[2].body);
    assert_eq!(whole.unwrap().unwrap().payload[..3], [0, 1, 2]);
}

#[test]
fn what_waits_is_bounded_and_the_oldest_gives_way() {
    let mut reassembly = Reassembly::new();
    for reference in 0..=255 {
        let segments = cut(200, Ports::PUSH, Reference::Octet(reference));
        reassembly
            .add("+1", &segments[0].udh, &segments[0].body)
            .unwrap();
    }
    let waiting: Vec<_> = reassembly
        .missing()
        .map(|missing| missing.reference)
        .collect();
    assert_eq!(waiting.len(), Reassembly::MOST_PENDING);
    assert_eq!(waiting[0], Reference::Octet(224));
    assert_eq!(waiting[31], Reference::Octet(255));
}

#[test]
fn a_message_without_a_header_is_whole() {
    let mut reassembly = Reassembly::new();
    let datagram = reassembly.add("+1", &[], b"SYNC").unwrap().unwrap();
    assert_eq!((datagram.ports, &*datagram.payload), (None, &b"SYNC"[..]));
    // So is one of one.
    let udh = hex("0B 05 04 0B 84 23 F0 00 03 00 01 01");
    let datagram = reassembly.add("+1", &udh, b"x").unwrap().unwrap();
    assert_eq!(datagram.ports, Some(Ports::PUSH));
    assert_eq!(reassembly.missing().count(), 0);
}

#[test]
fn broken_headers_are_refused_where_they_break() {
    for (udh, error) in [
        (
            "06 05 04 0B 84",
            "the user data header is cut off at offset 5",
        ),
        ("03 05 04 0B", "the user data header is cut off at offset 4"),
        (
            "05 05 03 0B 84 23",
            "the information element 0x05 has a wrong length at offset 1",
        ),
        (
            "05 00 03 07 02 03",
            "segment 3 of 2 does not exist at offset 1",
        ),
        (
            "05 00 03 07 00 00",
            "segment 0 of 0 does not exist at offset 1",
        ),
        (
            "05 00 03 07 02 00",
            "segment 0 of 2 does not exist at offset 1",
        ),
    ] {
        let read = UserDataHeader::read(&hex(udh)).unwrap_err();
        assert_eq!(read.to_string(), error, "{udh}");
    }
    let error = Reassembly::new().add("", &hex("00 00"), b"").unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::Trailing(1));
    let udh = hex("0B 05 04 0B 84 23 F0 00 03 00 01 01");
    assert_eq!(prefixes(&udh, UserDataHeader::read), udh.len());
}

#[test]
fn other_elements_are_kept() {
    let udh = hex("0A 24 01 03 05 04 0B 84 23 F0");
    let udh = [vec![udh[0] - 1], udh[1..].to_vec()].concat();
    let (header, length) = UserDataHeader::read(&udh).unwrap();
    assert_eq!(length, udh.len());
    assert_eq!(header.ports, Some(Ports::PUSH));
    let element = Element {
        id: 0x24,
        data: vec![3],
    };
    assert_eq!(header.others, [element]);
}

proptest! {
    #[test]
    fn everything_comes_back_in_any_order(
        payload in prop::collection::vec(any::<u8>(), 0..3000),
        wide in any::<bool>(),
        reference in any::<u16>(),
        order in any::<prop::sample::Index>(),
        doubled in any::<prop::sample::Index>(),
    ) {
        let ports = Ports::wide(2948, reference);
        let reference = if wide { Reference::Wide(reference) } else { Reference::Octet(reference as u8) };
        let mut segments = segments(&payload, ports, reference).unwrap();
        let count = segments.len();
        segments.rotate_left(order.index(count));
        if count > 2 {
            segments.swap(0, count / 2);
            let doubled = segments[doubled.index(count - 1)].clone();
            segments.insert(1, doubled);
        }
        let mut reassembly = Reassembly::new();
        let mut whole = Vec::new();
        for segment in &segments {
            whole.extend(reassembly.add("+1", &segment.udh, &segment.body).unwrap());
        }
        prop_assert_eq!(&whole[0].payload, &payload);
        prop_assert_eq!(whole[0].ports, Some(ports));
        prop_assert_eq!(reassembly.missing().count(), 0);
    }

    #[test]
    fn any_octets_are_read_or_refused(udh in prop::collection::vec(any::<u8>(), 0..40)) {
        match UserDataHeader::read(&udh) {
            Ok((_, length)) => prop_assert!(length <= udh.len()),
            Err(error) => prop_assert!(error.offset as usize <= udh.len()),
        }
    }
}
