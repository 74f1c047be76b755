//! The mark: number and hash of an entry known to be durable, kept beside the journal, so that entries cut off its end
//! are noticed. Written now and then, so it may lag behind; it never runs ahead.

use std::io;
use std::path::{Path, PathBuf};

use crate::record::Position;
use crate::vault::Vault;

const MAGIC: &[u8; 8] = b"YJMARK\0\x01";
const MARK_BYTES: usize = 8 + 8 + 32 + 32 + 4;

/// In what state the mark was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkFound {
    /// There, whole, and of this vault.
    Sound,
    /// Not there: a new journal, or a mark taken away.
    Missing,
    /// There, but damaged or of another vault: nothing could be compared.
    Damaged,
}

pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join("journal.mark")
}

pub(crate) fn encode(vault: &Vault, position: Position) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&position.seq.to_be_bytes());
    bytes.extend_from_slice(&position.hash);
    let keyed = vault.keyed_hash(&[b"mark", &bytes]);
    bytes.extend_from_slice(&keyed);
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

/// Reads the mark of `dir`; without a vault only its checksum vouches for it.
pub(crate) fn read(dir: &Path, vault: Option<&Vault>) -> io::Result<(MarkFound, Option<Position>)> {
    let bytes = match std::fs::read(path(dir)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((MarkFound::Missing, None)),
        other => other?,
    };
    let position = decode(&bytes, vault);
    Ok((
        if position.is_some() {
            MarkFound::Sound
        } else {
            MarkFound::Damaged
        },
        position,
    ))
}

pub(crate) fn decode(bytes: &[u8], vault: Option<&Vault>) -> Option<Position> {
    if bytes.len() != MARK_BYTES {
        return None;
    }
    let (checked, crc) = bytes.split_last_chunk::<4>()?;
    let (said, keyed) = checked.split_last_chunk::<32>()?;
    let (magic, rest) = said.split_first_chunk::<8>()?;
    let (seq, hash) = rest.split_first_chunk::<8>()?;
    let hash = <[u8; 32]>::try_from(hash).ok()?;
    let genuine = vault.is_none_or(|vault| vault.keyed_hash(&[b"mark", said]) == *keyed);
    let whole = crc32c::crc32c(checked) == u32::from_be_bytes(*crc) && magic == MAGIC;
    (genuine && whole).then_some(Position {
        seq: u64::from_be_bytes(*seq),
        hash,
    })
}
