using System.Globalization;
using System.Text;

namespace OrleansMqtt.LoadGenerator.Engine;

/// <summary>A text file with one line "topic TAB sequence" per acknowledged message, handed to the system after each batch of acknowledgements.</summary>
internal sealed class LedgerFile(string path) : IDisposable
{
    private readonly FileStream _file = new(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1);
    private readonly Lock _lock = new();
    private readonly StringBuilder _lines = new();

    public void Add(string topic, uint sequence)
    {
        lock (_lock)
        {
            _lines.Append(CultureInfo.InvariantCulture, $"{topic}\t{sequence}\n");
        }
    }

    public void Flush()
    {
        lock (_lock)
        {
            if (_lines.Length > 0)
            {
                _file.Write(Encoding.UTF8.GetBytes(_lines.ToString()));
                _file.Flush();
                _lines.Clear();
            }
        }
    }

    public void Dispose()
    {
        Flush();
        _file.Dispose();
    }
}
