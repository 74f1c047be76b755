//! One record on disk: written, and read with every check that needs no key.
//!
//! All numbers are big-endian. A record is
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `YJR` and the version, 1 |
//! | 4 | length of the whole record |
//! | 8 | sequence number, from 1 |
//! | 8 | wall clock in ms |
//! | 4 + 4 | place in its batch, and size of the batch: what one flush made durable together |
//! | 32 | hash of the record before (of the first: zeros) |
//! | 1 + n | length of the kind, the kind |
//! | 44 + n | data key number, nonce, sealed body and tag; all the bytes above are bound into the tag |
//! | 4 | CRC-32C of all above |
//!
//! Its hash is BLAKE3 of all but the last four bytes.

use crate::segment::Fault;
use crate::vault::{SEAL_BYTES, Vault};

pub(crate) const MAGIC: [u8; 3] = *b"YJR";
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 4 + 4 + 8 + 8 + 4 + 4 + 32 + 1;
const CRC_BYTES: usize = 4;
const RECORD_BYTES_MIN: usize = HEAD_BYTES + SEAL_BYTES + CRC_BYTES;
/// The longest kind.
pub(crate) const KIND_BYTES_MAX: usize = 16;

/// A place in the chain: the last entry's number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) seq: u64,
    pub(crate) hash: [u8; 32],
}

impl Position {
    /// Before the first entry.
    pub(crate) const START: Self = Self {
        seq: 0,
        hash: [0; 32],
    };
}

/// What a record says in clear.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) seq: u64,
    pub(crate) time_ms: i64,
    pub(crate) batch_at: u32,
    pub(crate) batch_len: u32,
    pub(crate) prev: [u8; 32],
    pub(crate) kind: &'a str,
}

/// A record as it lies in a segment.
pub(crate) struct Record<'a> {
    pub(crate) head: Head<'a>,
    pub(crate) hash: [u8; 32],
    pub(crate) length: usize,
    head_bytes: &'a [u8],
    sealed: &'a [u8],
}

/// Size on disk of a record with this kind and body.
pub(crate) fn record_length(kind: &str, body: &[u8]) -> usize {
    RECORD_BYTES_MIN
        .saturating_add(kind.len())
        .saturating_add(body.len())
}

/// Adds the record to `out` and returns its hash.
pub(crate) fn encode_onto(
    out: &mut Vec<u8>,
    vault: &Vault,
    head: &Head<'_>,
    body: &[u8],
) -> Result<[u8; 32], getrandom::Error> {
    let mut record = Vec::with_capacity(record_length(head.kind, body));
    record.extend_from_slice(&MAGIC);
    record.push(VERSION);
    let length = u32::try_from(record_length(head.kind, body)).unwrap_or(u32::MAX);
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(&head.seq.to_be_bytes());
    record.extend_from_slice(&head.time_ms.to_be_bytes());
    record.extend_from_slice(&head.batch_at.to_be_bytes());
    record.extend_from_slice(&head.batch_len.to_be_bytes());
    record.extend_from_slice(&head.prev);
    record.push(u8::try_from(head.kind.len()).unwrap_or(u8::MAX));
    record.extend_from_slice(head.kind.as_bytes());
    let place = record.clone();
    vault.seal_onto(&mut record, &place, body)?;
    let hash = *blake3::hash(&record).as_bytes();
    let crc = crc32c::crc32c(&record);
    record.extend_from_slice(&crc.to_be_bytes());
    out.append(&mut record);
    Ok(hash)
}

/// The record that `bytes` begin with; what follows it is not looked at.
pub(crate) fn parse(bytes: &[u8]) -> Result<Record<'_>, Fault> {
    let mut rest = bytes;
    let [magic @ .., version] = *take::<4>(&mut rest)?;
    if magic != MAGIC {
        return Err(Fault::Marker);
    }
    let length = usize::try_from(u32::from_be_bytes(*take(&mut rest)?)).map_err(|_| Fault::Length)?;
    if length < RECORD_BYTES_MIN {
        return Err(Fault::Length);
    }
    let whole = bytes.get(..length).ok_or(Fault::Length)?;
    let (checked, crc) = whole.split_last_chunk::<CRC_BYTES>().ok_or(Fault::Length)?;
    if crc32c::crc32c(checked) != u32::from_be_bytes(*crc) {
        return Err(Fault::Checksum);
    }
    // Only behind a sound checksum is another version a version and not a flipped bit.
    if version != VERSION {
        return Err(Fault::Version(version));
    }
    let seq = u64::from_be_bytes(*take(&mut rest)?);
    let time_ms = i64::from_be_bytes(*take(&mut rest)?);
    let batch_at = u32::from_be_bytes(*take(&mut rest)?);
    let batch_len = u32::from_be_bytes(*take(&mut rest)?);
    let prev = *take(&mut rest)?;
    let [kind_length] = *take::<1>(&mut rest)?;
    let head_length = HEAD_BYTES.saturating_add(usize::from(kind_length));
    let (head_bytes, sealed) = checked.split_at_checked(head_length).ok_or(Fault::Length)?;
    let kind = head_bytes
        .get(HEAD_BYTES..)
        .and_then(|kind| str::from_utf8(kind).ok())
        .ok_or(Fault::Length)?;
    let head = Head {
        seq,
        time_ms,
        batch_at,
        batch_len,
        prev,
        kind,
    };
    Ok(Record {
        head,
        hash: *blake3::hash(checked).as_bytes(),
        length,
        head_bytes,
        sealed,
    })
}

impl Record<'_> {
    /// The number of the first record of its batch.
    pub(crate) fn batch_first(&self) -> u64 {
        self.head.seq.saturating_sub(u64::from(self.head.batch_at))
    }

    /// The body in clear.
    pub(crate) fn open(&self, vault: &Vault) -> Result<Vec<u8>, Fault> {
        vault
            .unseal(self.head_bytes, self.sealed)
            .map_err(|_| Fault::Seal)
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], Fault> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(Fault::Length)?;
    *rest = left;
    Ok(taken)
}
