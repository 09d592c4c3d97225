using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrleansMqtt.Edge.Transport;

/// <summary>
/// Readiness of many sockets (epoll, edge triggered), with an event by which other threads wake the one that waits. The edge of writability is asked for from the start: the kernel
/// tells it only after a send that found no room.
/// </summary>
internal sealed unsafe class Epoll : IDisposable
{
    public const uint Readable = 0x1;
    public const uint Urgent = 0x2;
    public const uint Writable = 0x4;
    public const uint Error = 0x8;
    public const uint HangUp = 0x10;
    public const uint PeerHangUp = 0x2000;

    /// <summary>The key of a call to <see cref="Wake"/>.</summary>
    public const long WakeKey = -1;

    private const uint EdgeTriggered = 1u << 31;
    private const int Capacity = 512;

    // The kernel packs struct epoll_event on x86-64 only.
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture is Architecture.X64 ? 12 : 16;
    private static readonly int KeyOffset = Stride - sizeof(long);

    private readonly int _descriptor;
    private readonly int _wake;
    private readonly byte* _events;

    public Epoll()
    {
        _descriptor = Checked(Libc.EpollCreate(Libc.CloseOnExec));
        _wake = Checked(Libc.EventDescriptor(0, Libc.CloseOnExec | Libc.NonBlocking));
        _events = (byte*)NativeMemory.Alloc(Capacity, (nuint)Stride);
        Add(_wake, WakeKey, Readable);
    }

    /// <summary>Watches a socket; its events come with the key.</summary>
    public void Add(int socket, long key) => Add(socket, key, Readable | Urgent | Writable | PeerHangUp);

    /// <summary>Forgets a socket, before it is closed.</summary>
    public void Remove(int socket)
    {
        var entry = stackalloc byte[16];
        _ = Libc.EpollControl(_descriptor, Libc.ControlDelete, socket, entry);
    }

    /// <summary>Waits for events; returns how many there are.</summary>
    public int Wait(bool blocks)
    {
        var count = Libc.EpollWait(_descriptor, _events, Capacity, blocks ? -1 : 0);
        return count >= 0 || Libc.LastError == Libc.Interrupted ? Math.Max(0, count) : throw new Win32Exception(Libc.LastError);
    }

    public (long Key, uint Events) Get(int index)
    {
        var entry = _events + (index * Stride);
        return (Unsafe.ReadUnaligned<long>(entry + KeyOffset), Unsafe.ReadUnaligned<uint>(entry));
    }

    /// <summary>Ends the wait of the other thread, or its next one. By any thread.</summary>
    public void Wake()
    {
        // Never read: each write is an edge, and the sum fits.
        var one = 1L;
        _ = Libc.Write(_wake, (byte*)&one, sizeof(long));
    }

    public void Dispose()
    {
        _ = Libc.Close(_wake);
        _ = Libc.Close(_descriptor);
        NativeMemory.Free(_events);
    }

    private void Add(int descriptor, long key, uint events)
    {
        var entry = stackalloc byte[16];
        Unsafe.WriteUnaligned(entry, events | EdgeTriggered);
        Unsafe.WriteUnaligned(entry + KeyOffset, key);
        Checked(Libc.EpollControl(_descriptor, Libc.ControlAdd, descriptor, entry));
    }

    private static int Checked(int result) => result >= 0 ? result : throw new Win32Exception(Libc.LastError);
}
