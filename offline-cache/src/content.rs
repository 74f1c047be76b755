//! What the store holds as a whole: how far it is applied, and a keyed sum over all it holds, so that a value that is
//! missing, stale or foreign is noticed though each remaining one is genuine.

use crate::vault::{SEAL_BYTES, Vault};

/// Sorts before every tree; no tree's name begins with a zero byte.
pub(crate) const MARKER_KEY: [u8; 1] = [0];
const VERSION: u8 = 1;
const MARKER_BYTES: usize = 1 + 8 + 8 + 32;

#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Content {
    pub(crate) applied_seq: u64,
    values: u64,
    sum: [u8; 32],
}

impl Content {
    /// Counts and sums all pairs and compares with the marker among them; nothing where they differ.
    pub(crate) fn survey<E>(
        vault: &Vault,
        pairs: impl Iterator<Item = Result<(impl AsRef<[u8]>, impl AsRef<[u8]>), E>>,
    ) -> Result<Option<Self>, E> {
        let mut found = Self::default();
        let mut marker = None;
        for pair in pairs {
            let (key, value) = pair?;
            if key.as_ref() == MARKER_KEY {
                marker = Some(value.as_ref().to_vec());
            } else {
                found.replace(vault, key.as_ref(), None, Some(value.as_ref()));
            }
        }
        let Some(marker) = marker else {
            return Ok((found == Self::default()).then_some(found));
        };
        let said = Self::decode(vault, &marker);
        Ok(said.filter(|said| said.values == found.values && said.sum == found.sum))
    }

    /// The pair of `key` changes from `old` to `new`.
    pub(crate) fn replace(&mut self, vault: &Vault, key: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) {
        for value in [old, new].into_iter().flatten() {
            let pair = vault.keyed_hash(&[b"pair", key, value]);
            self.sum.iter_mut().zip(pair).for_each(|(sum, byte)| *sum ^= byte);
        }
        self.values = self
            .values
            .saturating_sub(u64::from(old.is_some()))
            .saturating_add(u64::from(new.is_some()));
    }

    /// The marker's value.
    pub(crate) fn encode(&self, vault: &Vault) -> Result<Vec<u8>, getrandom::Error> {
        let mut body = vec![VERSION];
        body.extend_from_slice(&self.applied_seq.to_be_bytes());
        body.extend_from_slice(&self.values.to_be_bytes());
        body.extend_from_slice(&self.sum);
        let mut sealed = Vec::with_capacity(MARKER_BYTES.saturating_add(SEAL_BYTES));
        vault.seal_onto(&mut sealed, &MARKER_KEY, &body)?;
        Ok(sealed)
    }

    fn decode(vault: &Vault, sealed: &[u8]) -> Option<Self> {
        let body = vault.unseal(&MARKER_KEY, sealed).ok()?;
        // A store of another version is rebuilt as a damaged one is.
        let ([VERSION], rest) = body.split_first_chunk::<1>()? else {
            return None;
        };
        let (applied_seq, rest) = rest.split_first_chunk::<8>()?;
        let (values, sum) = rest.split_first_chunk::<8>()?;
        Some(Self {
            applied_seq: u64::from_be_bytes(*applied_seq),
            values: u64::from_be_bytes(*values),
            sum: sum.try_into().ok()?,
        })
    }
}
