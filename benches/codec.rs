//! Throughput of the codec beside libwbxml, in one process and one run.
//!
//! For every WBXML sample: octets to typed message against libwbxml's WBXML to XML, and typed message to octets against
//! its XML to WBXML. All figures are octets of the WBXML document by second of one core; the best of several rounds
//! counts, for both. Samples are those of `oma-samples/`, and two that are made here from one of them: one with many
//! items, and one with nothing but small elements. The shared library is loaded at run time; without it only our own
//! figures are printed, unless `CI=true`.

#![allow(unsafe_code, reason = "libwbxml is written in C")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use candybar::syncml::codec::{Form, Limits, decode, encode, encoded_len};
use candybar::syncml::{Carrier, Code, Command, Message, Status, Sync, Version};

const ROUNDS: u32 = 7;
const ROUND: Duration = Duration::from_millis(30);

/// Octets by second of several works, each of its best round. The rounds take turns, so that a busy machine is busy for
/// all of them.
fn throughput<const N: usize>(octets: usize, works: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut times = [0_u32; N];
    let mut best = [f64::INFINITY; N];
    for round in 0..=ROUNDS {
        for at in 0..N {
            // The first round finds out how often one round is.
            let count = times[at].max(1);
            let started = Instant::now();
            for _ in 0..count {
                works[at]();
            }
            let once = started.elapsed().as_secs_f64() / f64::from(count);
            if round == 0 {
                times[at] = (ROUND.as_secs_f64() / once.max(1e-7)).clamp(1.0, 1e6) as u32;
            } else {
                best[at] = best[at].min(once);
            }
        }
    }
    best.map(|seconds| octets as f64 / seconds)
}

unsafe extern "C" {
    fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, symbol: *const c_char) -> *mut c_void;
    fn free(memory: *mut c_void);
}

type Create = unsafe extern "C" fn(*mut *mut c_void) -> c_int;
type Run = unsafe extern "C" fn(*mut c_void, *const u8, u32, *mut *mut u8, *mut u32) -> c_int;
type Destroy = unsafe extern "C" fn(*mut c_void);
type Set = unsafe extern "C" fn(*mut c_void, c_int);

/// One direction of libwbxml.
struct Converter {
    create: Create,
    run: Run,
    destroy: Destroy,
    /// Chooses its fastest way: compact XML, WBXML without a string table. The second argument is left alone where there
    /// is none.
    fastest: Set,
}

impl Converter {
    fn load(
        library: *mut c_void,
        create: &CStr,
        run: &CStr,
        destroy: &CStr,
        fastest: &CStr,
    ) -> Option<Self> {
        let symbol = |name: &CStr| {
            // SAFETY: `library` was opened and is never closed; `name` ends with NUL.
            let address = unsafe { dlsym(library, name.as_ptr()) };
            (!address.is_null()).then_some(address)
        };
        // SAFETY: the signatures are those of wbxml_conv.h of libwbxml 0.11.
        unsafe {
            Some(Self {
                create: std::mem::transmute::<*mut c_void, Create>(symbol(create)?),
                run: std::mem::transmute::<*mut c_void, Run>(symbol(run)?),
                destroy: std::mem::transmute::<*mut c_void, Destroy>(symbol(destroy)?),
                fastest: std::mem::transmute::<*mut c_void, Set>(symbol(fastest)?),
            })
        }
    }

    /// Converts a document; `None` if the library refuses it.
    fn convert<T>(&self, input: &[u8], take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let mut converter = std::ptr::null_mut();
        let mut output = std::ptr::null_mut();
        let mut length = 0;
        // SAFETY: as documented in wbxml_conv.h: the input is only read, the output belongs to the caller.
        unsafe {
            if (self.create)(&raw mut converter) != 0 {
                return None;
            }
            (self.fastest)(converter, 0);
            let code = (self.run)(
                converter,
                input.as_ptr(),
                input.len() as u32,
                &raw mut output,
                &raw mut length,
            );
            (self.destroy)(converter);
            if code != 0 || output.is_null() {
                return None;
            }
            let taken = take(std::slice::from_raw_parts(output, length as usize));
            free(output.cast());
            Some(taken)
        }
    }
}

/// libwbxml, both directions.
struct Peer {
    to_xml: Converter,
    to_wbxml: Converter,
}

impl Peer {
    fn load() -> Option<Self> {
        // SAFETY: loading a system library; 2 is RTLD_NOW.
        let library = unsafe { dlopen(c"libwbxml2.so.1".as_ptr(), 2) };
        if library.is_null() {
            return None;
        }
        Some(Self {
            to_xml: Converter::load(
                library,
                c"wbxml_conv_wbxml2xml_create",
                c"wbxml_conv_wbxml2xml_run",
                c"wbxml_conv_wbxml2xml_destroy",
                c"wbxml_conv_wbxml2xml_set_gen_type",
            )?,
            to_wbxml: Converter::load(
                library,
                c"wbxml_conv_xml2wbxml_create",
                c"wbxml_conv_xml2wbxml_run",
                c"wbxml_conv_xml2wbxml_destroy",
                c"wbxml_conv_xml2wbxml_disable_string_table",
            )?,
        })
    }
}

/// Times in seconds for one pass over some octets.
#[derive(Default)]
struct Total {
    octets: f64,
    seconds: [f64; 4],
}

fn megabytes(rate: f64) -> String {
    if rate.is_finite() {
        format!("{:.1}", rate / 1e6)
    } else {
        "-".to_owned()
    }
}

fn ratio(ours: f64, theirs: f64) -> String {
    if theirs.is_finite() {
        format!("{:.1}x", ours / theirs)
    } else {
        "-".to_owned()
    }
}

fn row(name: &str, octets: usize, rates: [f64; 4]) {
    let [decode, peer_decode, encode, peer_encode] = rates;
    println!(
        "{name:44} {octets:>7}  {:>8} {:>8} {:>7}  {:>8} {:>8} {:>7}",
        megabytes(decode),
        megabytes(peer_decode),
        ratio(decode, peer_decode),
        megabytes(encode),
        megabytes(peer_encode),
        ratio(encode, peer_encode),
    );
}

fn measure(name: &str, wbxml: &[u8], peer: Option<&Peer>, total: &mut Total) {
    let limits = Limits::default();
    let message = decode(wbxml, Carrier::Wbxml, &limits).expect("the sample decodes");
    let form = Form::new(Carrier::Wbxml, message.header.version().unwrap_or_default());
    let octets = wbxml.len();
    let mut decoded = || {
        black_box(decode(black_box(wbxml), Carrier::Wbxml, &limits)).expect("the sample decodes");
    };
    let mut encoded = || {
        black_box(encode(black_box(&message), &form));
    };
    let xml = peer.and_then(|peer| peer.to_xml.convert(wbxml, <[u8]>::to_vec));
    let rates = if let (Some(peer), Some(xml)) = (peer, xml) {
        let mut peer_decoded = || {
            black_box(peer.to_xml.convert(black_box(wbxml), <[u8]>::len));
        };
        let mut peer_encoded = || {
            black_box(peer.to_wbxml.convert(black_box(&xml), <[u8]>::len));
        };
        assert!(
            peer.to_wbxml.convert(&xml, <[u8]>::len).is_some(),
            "libwbxml reads its own XML"
        );
        throughput(
            octets,
            [
                &mut decoded,
                &mut peer_decoded,
                &mut encoded,
                &mut peer_encoded,
            ],
        )
    } else {
        let [decoded, encoded] = throughput(octets, [&mut decoded, &mut encoded]);
        [decoded, f64::INFINITY, encoded, f64::INFINITY]
    };
    row(name, octets, rates);
    if rates.iter().all(|rate| rate.is_finite()) {
        total.octets += octets as f64;
        for (seconds, rate) in total.seconds.iter_mut().zip(rates) {
            *seconds += octets as f64 / rate;
        }
    }
}

/// Octets of a large message: what SyncEvolution's client takes.
const LARGE: usize = 150_000;

/// The item commands of the samples but the chunks of large objects, over and over, in one message.
fn many_items(samples: &[(String, Vec<u8>)]) -> Vec<u8> {
    let limits = Limits::default();
    let form = Form::new(Carrier::Wbxml, Version::V12);
    let mut items = Vec::new();
    for (_, bytes) in samples {
        let Ok(sample) = decode(bytes, Carrier::Wbxml, &limits) else {
            continue;
        };
        for command in sample.body {
            if let Command::Sync(sync) = command {
                items.extend(sync.commands);
            }
        }
    }
    items.retain(|command| (100..4000).contains(&encoded_len(command, &form)));
    assert!(!items.is_empty(), "the samples have items");
    let mut sync = Sync {
        cmd_id: "1".into(),
        ..Sync::default()
    };
    let mut octets = 0;
    for command in items.iter().cycle() {
        octets += encoded_len(command, &form);
        if octets > LARGE {
            break;
        }
        sync.commands.push(command.clone());
    }
    let message = Message {
        body: vec![Command::Sync(sync)],
        ..Message::default()
    };
    encode(&message, &form)
}

/// Nothing but Status.
fn many_tags() -> Vec<u8> {
    let body = (1..=1000).map(|number: u32| {
        Command::Status(Status {
            cmd_id: number.to_string().into(),
            msg_ref: "2".into(),
            cmd_ref: (number + 3).to_string().into(),
            cmd: "Add".into(),
            source_refs: vec![(number * 7).to_string().into()],
            code: Code::ITEM_ADDED,
            ..Status::default()
        })
    });
    let message = Message {
        body: body.collect(),
        last: true,
        ..Message::default()
    };
    encode(&message, &Form::new(Carrier::Wbxml, Version::V12))
}

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("oma-samples");
    let mut samples: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .expect("oma-samples/ can be read")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            name.ends_with(".wbxml")
                .then(|| std::fs::read(&path).ok().map(|bytes| (name, bytes)))
                .flatten()
        })
        .collect();
    samples.sort();
    let peer = Peer::load();
    if peer.is_none() {
        eprintln!("LIBWBXML IS MISSING: install libwbxml2-1; nothing to compare with");
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "libwbxml is missing"
        );
    }
    println!(
        "{:44} {:>7}  {:>8} {:>8} {:>7}  {:>8} {:>8} {:>7}",
        "MB/s of one core", "octets", "decode", "libwbxml", "ratio", "encode", "libwbxml", "ratio"
    );
    let mut total = Total::default();
    for (name, bytes) in &samples {
        measure(name, bytes, peer.as_ref(), &mut total);
    }
    let [decode, peer_decode, encode, peer_encode] =
        total.seconds.map(|seconds| total.octets / seconds);
    row(
        "all samples",
        total.octets as usize,
        [decode, peer_decode, encode, peer_encode],
    );
    let both = |a: usize, b: usize| total.seconds[a] + total.seconds[b];
    println!(
        "decode and encode, all samples: {:.1}x",
        both(1, 3) / both(0, 2)
    );
    let mut made = Total::default();
    measure(
        "made: items in one large message",
        &many_items(&samples),
        peer.as_ref(),
        &mut made,
    );
    measure("made: 1000 Status", &many_tags(), peer.as_ref(), &mut made);
}
