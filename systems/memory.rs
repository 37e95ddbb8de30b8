//! How much memory there is left.

/// Memory that can be taken without swapping \[bytes\]: what the machine has free and, where a control group limits the
/// process, what is left of that. None where the system does not tell.
pub fn available() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let free = Some(system.available_memory()).filter(|&bytes| bytes > 0);
    let limited = system.cgroup_limits().map(|limits| limits.free_memory).filter(|&bytes| bytes > 0);
    [free, limited].into_iter().flatten().min()
}
