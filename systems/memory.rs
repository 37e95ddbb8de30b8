//! How much memory there is left.

/// Less than this is not worth asking for \[bytes\].
const SMALL: u128 = 1 << 24;

/// Memory that can be taken without swapping \[bytes\]: what the machine has free and, where a control group limits the
/// process, what is left of that. None where the system does not tell.
pub fn available() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let free = Some(system.available_memory()).filter(|&bytes| bytes > 0);
    // What the group has in files' caches is given back when it is needed.
    let limited = system.cgroup_limits().map(|limits| limits.total_memory.saturating_sub(limits.rss));
    [free, limited.filter(|&bytes| bytes > 0)].into_iter().flatten().min()
}

/// Whether `bytes` more can be taken. Asked before any of them is: to be refused memory late costs a run, or the machine.
///
/// # Errors
/// How much is needed and how much there is, in words.
pub fn check_room(bytes: u128) -> Result<(), String> {
    if bytes <= SMALL {
        return Ok(());
    }
    match available() {
        Some(available) if bytes > available.into() => {
            let gib = |bytes: u128| bytes as f64 / (1_u64 << 30) as f64;
            let (needed, free) = (gib(bytes), gib(available.into()));
            Err(format!("about {needed:.1} GiB are needed, and {free:.1} GiB are free"))
        }
        _ => Ok(()),
    }
}
