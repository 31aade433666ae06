/// What of a process is in memory, and what to show where nobody can tell: a core file does not say which pages were.

#ifndef LINUX_RESIDENT_Y
#define LINUX_RESIDENT_Y

/// For a column of doubles: a number that is not known, shown as "unknown".
#define UNKNOWN (0.0 / 0.0)

/// Resident bytes of all mappings, or -1.
long resident_bytes(void)
{
    if (!_is_live())
        return -1;
    long bytes = 0;
    _foreach (m in _maps())
        bytes += m.rss > 0 ? m.rss : 0;
    return bytes;
}

/// What part of the resident bytes something is: "12.3 % of 1.0 GB resident".
_str resident_share(long part, long resident)
{
    if (resident < 0)
        return "of resident memory that is unknown";
    return sprintf("%.1f %% of %hB resident", resident > 0 ? 100.0 * part / resident : 0.0, resident);
}

#endif
