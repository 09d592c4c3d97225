using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrleansMqtt.LoadGenerator.Sockets;

/// <summary>Readiness of many sockets (epoll, level triggered). Waits with nanosecond time limits, so that sends leave at their scheduled time.</summary>
internal sealed unsafe class Epoll : IDisposable
{
    public const uint Readable = 0x1;
    public const uint Writable = 0x4;
    public const uint Error = 0x8;
    public const uint HangUp = 0x10;

    private const int Capacity = 512;

    // The kernel packs struct epoll_event on x86-64 only.
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture is Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = Stride - 8;

    private readonly int _descriptor;
    private readonly byte[] _events = GC.AllocateArray<byte>(Capacity * 16, pinned: true);
    private bool _precise = true;

    public Epoll()
    {
        _descriptor = Libc.EpollCreate(Libc.SocketCloseOnExec);
        if (_descriptor < 0)
        {
            throw new LoadException($"epoll_create1: {Libc.Describe(Marshal.GetLastPInvokeError())}");
        }
    }

    public void Add(int descriptor, int data, uint events) => Control(1, descriptor, data, events);

    public void Modify(int descriptor, int data, uint events) => Control(3, descriptor, data, events);

    /// <summary>Waits until a socket is ready or <paramref name="nanoseconds"/> have passed; returns the number of events.</summary>
    public int Wait(long nanoseconds)
    {
        byte* events = Pointer();
        int count;
        if (_precise)
        {
            try
            {
                long* timeout = stackalloc long[2];
                timeout[0] = nanoseconds / 1_000_000_000;
                timeout[1] = nanoseconds % 1_000_000_000;
                count = Libc.EpollWaitPrecise(_descriptor, events, Capacity, timeout, 0);
                if (count >= 0 || Marshal.GetLastPInvokeError() != Libc.FunctionNotImplemented)
                {
                    return Checked(count);
                }
            }
            catch (EntryPointNotFoundException)
            {
                // An older C library: whole milliseconds have to do.
            }

            _precise = false;
        }

        count = Libc.EpollWait(_descriptor, events, Capacity, (int)Math.Min((nanoseconds + 999_999) / 1_000_000, int.MaxValue));
        return Checked(count);
    }

    public (int Data, uint Events) Get(int index)
    {
        ReadOnlySpan<byte> entry = _events.AsSpan(index * Stride, Stride);
        return (MemoryMarshal.Read<int>(entry[DataOffset..]), MemoryMarshal.Read<uint>(entry));
    }

    public void Dispose() => _ = Libc.Close(_descriptor);

    private static int Checked(int count)
    {
        if (count >= 0)
        {
            return count;
        }

        int error = Marshal.GetLastPInvokeError();
        return error == Libc.Interrupted ? 0 : throw new LoadException($"epoll: {Libc.Describe(error)}");
    }

    private void Control(int operation, int descriptor, int data, uint events)
    {
        byte* entry = stackalloc byte[16];
        Unsafe.WriteUnaligned(entry, events);
        Unsafe.WriteUnaligned(entry + DataOffset, (long)data);
        if (Libc.EpollControl(_descriptor, operation, descriptor, entry) < 0)
        {
            throw new LoadException($"epoll_ctl: {Libc.Describe(Marshal.GetLastPInvokeError())}");
        }
    }

    private byte* Pointer() => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_events));
}
