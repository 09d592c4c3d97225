using System.Text;

namespace OrleansMqtt.Log.Crash;

/// <summary>Prints each acknowledgement at once, and bounds what is outstanding.</summary>
internal sealed class Acknowledgements(Stream output) : IAppendCompletion
{
    private readonly Lock _lock = new();

    public SemaphoreSlim Outstanding { get; } = new(200);

    public void OnAppended(long state, in AppendResult result)
    {
        Write($"record {state} {result.Partition} {result.Offset} {result.Error};\n");
        Outstanding.Release();
    }

    public void WriteTransaction(long number) => Write($"transaction {number};\n");

    private void Write(string line)
    {
        lock (_lock)
        {
            output.Write(Encoding.UTF8.GetBytes(line));
        }
    }
}
