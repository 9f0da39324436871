//! What somebody on the wire between two parties can see: nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{collections::HashSet, io::Read, net::TcpStream, path::Path};

use entente_protocol::{
    acml::{ActiveHalf, PassiveHalf},
    job::Job,
};
use house::{House, wiretap::Wiretap};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};

/// Bytes that must not be readable: each feature and weight is looked for
/// together with its neighbour, since four bytes alone turn up by chance.
const WINDOW: usize = 8;

/// The TLS records of a stream: type and body.
fn records(mut stream: &[u8]) -> Vec<(u8, &[u8])> {
    let mut records = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = stream {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((body, next)) = rest.split_at_checked(length) else {
            break;
        };
        records.push((*kind, body));
        stream = next;
    }
    records
}

/// The Iris measurements in every way in which a program would write them.
fn planted_features() -> Vec<Vec<u8>> {
    let iris = linfa_datasets::iris();
    let mut planted = Vec::new();
    for row in iris.records.rows() {
        let row: Vec<f64> = row.to_vec();
        let line: Vec<String> = row.iter().map(ToString::to_string).collect();
        planted.push(line.join(",").into_bytes());
        planted.push(row.iter().flat_map(|x| x.to_le_bytes()).collect());
        planted.push(row.iter().flat_map(|x| x.to_be_bytes()).collect());
        planted.push(row.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect());
        planted.push(row.iter().flat_map(|x| (*x as f32).to_be_bytes()).collect());
    }
    planted
}

/// One extension of a hello, read by its structure (RFC 8446, 4.1.2): its
/// two-byte type also turns up by chance, in a random or a key share.
fn extension(client_hello: &[u8], wanted: u16) -> Option<&[u8]> {
    fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        Some(taken)
    }
    /// A field behind its length, of `width` bytes.
    fn field<'a>(bytes: &mut &'a [u8], width: usize) -> Option<&'a [u8]> {
        let length = take(bytes, width)?;
        let length = length.iter().fold(0, |n, b| n << 8 | usize::from(*b));
        take(bytes, length)
    }
    // The message's type and length; version and random; session; suites;
    // compression.
    let rest = &mut &client_hello[4..];
    take(rest, 2 + 32)?;
    field(rest, 1)?;
    field(rest, 2)?;
    field(rest, 1)?;
    let extensions = &mut field(rest, 2)?;
    while let Some(kind) = take(extensions, 2) {
        let body = field(extensions, 2)?;
        if kind == wanted.to_be_bytes() {
            return Some(body);
        }
    }
    None
}

fn windows(bytes: &[u8]) -> HashSet<&[u8]> {
    bytes.windows(WINDOW).collect()
}

#[test]
fn a_captured_connection_holds_no_planted_plaintext() {
    let tap = Wiretap::default();
    let house = House::start(|port| tap.listen(port));
    let id = house.submit(&[
        ("epochs = 30", "epochs = 1"),
        ("batch_size = 16", "batch_size = 40"),
    ]);
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");

    let mut planted = planted_features();
    // Shares of the weights, of the end of training: they never travelled as
    // such. In either byte order.
    let spec = std::fs::read_to_string(house.path().join("iris.toml")).unwrap();
    let spec = Job::from_toml(&spec).unwrap();
    let active = ActiveHalf::open(&spec, &house.half("bank-a", &id)).unwrap();
    let passive = PassiveHalf::open(&spec, &house.half("bank-b", &id)).unwrap();
    for matrix in [&active.share, &passive.weights, &passive.bias] {
        for entry in matrix.as_array() {
            planted.push(entry.0.to_be_bytes().to_vec());
            planted.push(entry.0.to_le_bytes().to_vec());
        }
    }
    for tensor in &active.bottom {
        for pair in tensor.values.windows(2) {
            planted.push(pair.iter().flat_map(|x| x.to_be_bytes()).collect());
            planted.push(pair.iter().flat_map(|x| x.to_le_bytes()).collect());
        }
    }
    planted.extend([
        b"bank-a".to_vec(),
        b"spiffe://".to_vec(),
        b"entente".to_vec(),
    ]);
    planted.retain(|bytes| bytes.iter().collect::<HashSet<_>>().len() > 2);
    assert!(planted.len() > 700, "{} planted", planted.len());

    let streams = tap.streams();
    let captured: usize = streams.iter().map(Vec::len).sum();
    assert!(captured > 100_000, "only {captured} bytes were captured");
    for stream in &streams {
        let seen = windows(stream);
        for bytes in &planted {
            let found = match bytes.len() {
                WINDOW.. => seen.contains(&bytes[..WINDOW]),
                short => stream.windows(short).any(|window| window == bytes),
            };
            assert!(!found, "planted bytes {bytes:02x?} are on the wire");
        }
    }
}

/// What a client without a certificate is told at `port`.
fn without_certificate(folder: &Path, port: u16) -> String {
    let mut roots = rustls::RootCertStore::empty();
    let ca = folder.join("pki/ca.pem");
    roots
        .add(CertificateDer::from_pem_file(ca).unwrap())
        .unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = rustls::ClientConnection::new(std::sync::Arc::new(config), name).unwrap();
    let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut stream = rustls::StreamOwned::new(tls, tcp);
    let mut heard = Vec::new();
    let error = stream.read_to_end(&mut heard).expect_err("was served");
    assert!(heard.is_empty());
    error.to_string()
}

#[test]
fn the_handshake_is_tls_1_3_and_nothing_after_it_is_readable() {
    let tap = Wiretap::default();
    let house = House::start(|port| tap.listen(port));
    house::eventually("a connection between the parties", || {
        // Both sides greet each other inside the encryption.
        let streams = tap.streams();
        streams
            .chunks_exact(2)
            .any(|ends| {
                ends.iter()
                    .all(|end| records(end).iter().filter(|(kind, _)| *kind == 23).count() >= 2)
            })
            .then_some(())
    });
    // Nobody is served who shows none: the same port, and a client without.
    let refusal = without_certificate(house.path(), house.passive.port("peers"));
    assert!(refusal.contains("CertificateRequired"), "{refusal}");
    let House {
        active,
        passive,
        coordinator,
        folder,
    } = house;
    drop((active, passive, coordinator));
    let streams = tap.streams();
    let [caller, called, ..] = &streams[..] else {
        panic!("no connection")
    };
    let (hello, answer) = (records(caller)[0].1, records(called)[0].1);
    // supported_versions (43) of the answer: TLS 1.3 and nothing else.
    let version = [0, 43, 0, 2, 3, 4];
    assert!(
        answer.windows(6).any(|window| window == version),
        "{answer:02x?}"
    );
    // The hybrid key exchange, X25519MLKEM768 (0x11ec), is the first offered:
    // supported_groups (10) is a list behind its length.
    let groups = extension(hello, 10).expect("supported_groups");
    assert_eq!(groups[2..4], [0x11, 0xec]);
    // Whoever shows a certificate and proves its key (RFC 8446, 4.4.2 and 4.4.3) sends
    // so much more than the end of a handshake; nothing else here is as long.
    let own = std::fs::read_to_string(folder.path().join("pki/bank-a.pem")).unwrap();
    let base64 = own.lines().filter(|line| !line.contains("CERTIFICATE"));
    let certificate_bytes = base64.map(str::len).sum::<usize>() / 4 * 3;
    let encrypted = records(caller).into_iter().filter(|(kind, _)| *kind == 23);
    let longest = encrypted.map(|(_, body)| body.len()).max();
    assert!(
        longest > Some(certificate_bytes),
        "{longest:?}, {certificate_bytes}"
    );
    for end in [caller, called] {
        let mut kinds: Vec<u8> = records(end).iter().map(|(kind, _)| *kind).collect();
        // Handshake in the clear (22) once, the change of cipher that keeps
        // middle boxes calm (20), then application data (23) alone.
        kinds.dedup();
        assert!(matches!(kinds[..], [22, 20, 23] | [22, 23]), "{kinds:?}");
    }
}
