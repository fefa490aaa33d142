//! Caches for mail-auth, which brings none: one that is filled beforehand, and one as its
//! documentation shows.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;
use std::time::Instant;

use mail_auth::{DnsCache, Mx, Negative, RecordSet, ResolverCache, TxtRecord};

type Answer<T> = Result<RecordSet<T>, Negative>;

/// One cache of a kind for each type of records.
#[derive(Default)]
pub(crate) struct Caches<K: Kind> {
    pub(crate) txt: K::Cache<Box<str>, TxtRecord>,
    pub(crate) mx: K::Cache<Box<str>, Answer<Mx>>,
    pub(crate) ipv4: K::Cache<Box<str>, Answer<Ipv4Addr>>,
    pub(crate) ipv6: K::Cache<Box<str>, Answer<Ipv6Addr>>,
    pub(crate) ptr: K::Cache<IpAddr, Answer<Box<str>>>,
}

/// What a cache is made of.
pub(crate) trait Kind {
    type Cache<K: Hash + Eq, V: Clone>: ResolverCache<K, V> + Default;
}

impl<K: Kind> DnsCache for Caches<K> {
    type Txt = K::Cache<Box<str>, TxtRecord>;
    type Mx = K::Cache<Box<str>, Answer<Mx>>;
    type Ipv4 = K::Cache<Box<str>, Answer<Ipv4Addr>>;
    type Ipv6 = K::Cache<Box<str>, Answer<Ipv6Addr>>;
    type Ptr = K::Cache<IpAddr, Answer<Box<str>>>;

    fn txt(&self) -> Option<&Self::Txt> {
        Some(&self.txt)
    }

    fn mx(&self) -> Option<&Self::Mx> {
        Some(&self.mx)
    }

    fn ipv4(&self) -> Option<&Self::Ipv4> {
        Some(&self.ipv4)
    }

    fn ipv6(&self) -> Option<&Self::Ipv6> {
        Some(&self.ipv6)
    }

    fn ptr(&self) -> Option<&Self::Ptr> {
        Some(&self.ptr)
    }
}

/// Filled beforehand; takes nothing more, and so needs no lock.
#[derive(Default)]
pub(crate) struct Filled;

impl Kind for Filled {
    type Cache<K: Hash + Eq, V: Clone> = FilledCache<K, V>;
}

pub(crate) struct FilledCache<K, V>(pub(crate) HashMap<K, V>);

impl<K, V> Default for FilledCache<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for FilledCache<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {}
}

/// Filled by what is asked, for as long as answers are good.
#[derive(Default)]
pub(crate) struct Filling;

impl Kind for Filling {
    type Cache<K: Hash + Eq, V: Clone> = FillingCache<K, V>;
}

pub(crate) struct FillingCache<K, V>(Mutex<HashMap<K, (V, Instant)>>);

impl<K, V> Default for FillingCache<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for FillingCache<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let map = self.0.lock().expect("no other thread");
        let (value, expires) = map.get(name)?;
        (*expires > Instant::now()).then(|| value.clone())
    }

    fn remove<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.lock().expect("no other thread").remove(name).map(|(value, _)| value)
    }

    fn insert(&self, key: K, value: V, valid_until: Instant) {
        self.0.lock().expect("no other thread").insert(key, (value, valid_until));
    }
}
