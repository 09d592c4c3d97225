using System.Runtime.InteropServices;

namespace OrleansMqtt.LoadGenerator.Sockets;

/// <summary>The Linux system calls that the generator uses directly: one thread serves thousands of sockets, with no task and no allocation per message.</summary>
internal static unsafe partial class Libc
{
    public const int SocketStream = 1;
    public const int SocketNonBlocking = 0x800;
    public const int SocketCloseOnExec = 0x80000;
    public const int ProtocolTcp = 6;
    public const int OptionNoDelay = 1;
    public const int LevelSocket = 1;
    public const int OptionError = 4;
    public const int LevelIp = 0;
    public const int OptionBindAddressNoPort = 24;
    public const int MessageNoSignal = 0x4000;

    public const int Interrupted = 4;
    public const int TryAgain = 11;
    public const int FunctionNotImplemented = 38;
    public const int InProgress = 115;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int descriptor, byte* address, int length);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(int descriptor, byte* address, int length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetSocketOption(int descriptor, int level, int option, int* value, int length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int GetSocketOption(int descriptor, int level, int option, int* value, int* length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, int descriptor, byte* poll);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, byte* events, int count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "epoll_pwait2", SetLastError = true)]
    public static partial int EpollWaitPrecise(int epoll, byte* events, int count, long* timeout, nint signalMask);

    public static string Describe(int error) => Marshal.GetPInvokeErrorMessage(error);
}
