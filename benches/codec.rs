//! Throughput of the codec beside libwbxml, in one process and one run.
//!
//! For every WBXML sample: octets to typed message against libwbxml's WBXML to XML, and typed message to octets against
//! its XML to WBXML. All figures are octets of the WBXML document by second of one core; the best of several rounds
//! counts, for both. Samples are those of `oma-samples/`, and two that are made here from one of them: one with many
//! items, and one with nothing but small elements. The shared library is loaded at run time; without it only our own
//! figures are printed, unless `CI=true`.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use candybar::syncml::codec::{Form, Limits, decode, encode};
use candybar::syncml::{Carrier, Command, Message, Status, Version};

const ROUNDS: u32 = 7;
const ROUND: Duration = Duration::from_millis(30);

/// Octets by second, of the best round.
fn throughput(octets: usize, mut work: impl FnMut()) -> f64 {
    let started = Instant::now();
    work();
    let once = started.elapsed().max(Duration::from_nanos(100));
    let times = (ROUND.as_nanos() / once.as_nanos()).clamp(1, 1_000_000) as u32;
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..times {
            work();
        }
        best = best.min(started.elapsed());
    }
    octets as f64 * f64::from(times) / best.as_secs_f64()
}

unsafe extern "C" {
    fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, symbol: *const c_char) -> *mut c_void;
    fn free(memory: *mut c_void);
}

type Create = unsafe extern "C" fn(*mut *mut c_void) -> c_int;
type Run = unsafe extern "C" fn(*mut c_void, *const u8, u32, *mut *mut u8, *mut u32) -> c_int;
type Destroy = unsafe extern "C" fn(*mut c_void);
type SetType = unsafe extern "C" fn(*mut c_void, c_int);

/// One direction of libwbxml.
struct Converter {
    create: Create,
    run: Run,
    destroy: Destroy,
    /// Compact output, which is its fastest.
    compact: Option<SetType>,
}

impl Converter {
    fn load(
        library: *mut c_void,
        create: &CStr,
        run: &CStr,
        destroy: &CStr,
        compact: Option<&CStr>,
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
                compact: match compact {
                    Some(name) => Some(std::mem::transmute::<*mut c_void, SetType>(symbol(name)?)),
                    None => None,
                },
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
            if let Some(compact) = self.compact {
                compact(converter, 0);
            }
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
                Some(c"wbxml_conv_wbxml2xml_set_gen_type"),
            )?,
            to_wbxml: Converter::load(
                library,
                c"wbxml_conv_xml2wbxml_create",
                c"wbxml_conv_xml2wbxml_run",
                c"wbxml_conv_xml2wbxml_destroy",
                None,
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
    let mut rates = [f64::INFINITY; 4];
    rates[0] = throughput(octets, || {
        black_box(decode(black_box(wbxml), Carrier::Wbxml, &limits)).expect("the sample decodes");
    });
    rates[2] = throughput(octets, || {
        black_box(encode(black_box(&message), &form));
    });
    if let Some(peer) = peer
        && let Some(xml) = peer.to_xml.convert(wbxml, <[u8]>::to_vec)
    {
        rates[1] = throughput(octets, || {
            black_box(peer.to_xml.convert(black_box(wbxml), <[u8]>::len));
        });
        if peer.to_wbxml.convert(&xml, <[u8]>::len).is_some() {
            rates[3] = throughput(octets, || {
                black_box(peer.to_wbxml.convert(black_box(&xml), <[u8]>::len));
            });
        }
    }
    row(name, octets, rates);
    if rates.iter().all(|rate| rate.is_finite()) {
        total.octets += octets as f64;
        for (seconds, rate) in total.seconds.iter_mut().zip(rates) {
            *seconds += octets as f64 / rate;
        }
    }
}

/// All items of the samples, many times over, in one message.
fn many_items(samples: &[(String, Vec<u8>)]) -> Vec<u8> {
    let limits = Limits::default();
    let mut message = Message::default();
    for (_, bytes) in samples {
        let Ok(sample) = decode(bytes, Carrier::Wbxml, &limits) else {
            continue;
        };
        let syncs = sample
            .body
            .iter()
            .filter(|command| matches!(command, Command::Sync(sync) if !sync.commands.is_empty()));
        message.body.extend(syncs.cloned());
        message.header = sample.header;
    }
    let body = message.body.clone();
    while message.body.len() < 400 && !body.is_empty() {
        message.body.extend_from_slice(&body);
    }
    encode(&message, &Form::new(Carrier::Wbxml, Version::V12))
}

/// Nothing but Status.
fn many_tags() -> Vec<u8> {
    let body = (1..=1000).map(|number: u32| {
        let mut status = Status::default();
        status.cmd_id = number.to_string().into();
        status.msg_ref = "2".into();
        status.cmd_ref = (number + 3).to_string().into();
        status.cmd = "Add".into();
        status.source_refs = vec![(number * 7).to_string().into()];
        status.code = candybar::syncml::Code::ITEM_ADDED;
        Command::Status(status)
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
        "made: many items",
        &many_items(&samples),
        peer.as_ref(),
        &mut made,
    );
    measure("made: many tags", &many_tags(), peer.as_ref(), &mut made);
}
