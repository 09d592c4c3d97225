namespace OrleansMqtt.Log.Embedded;

/// <summary>The right to use a log directory: an exclusively opened file, which the operating system releases however the process ends.</summary>
internal sealed class DirectoryLock : IDisposable
{
    private readonly FileStream _file;

    private DirectoryLock(FileStream file) => _file = file;

    /// <exception cref="LogConfigurationException">The directory cannot be made or written, or another process uses it.</exception>
    public static DirectoryLock Acquire(string directory)
    {
        var path = Path.Combine(directory, "log.lock");
        try
        {
            Directory.CreateDirectory(directory);
            return new DirectoryLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException exception) when (File.Exists(path) && exception is not PathTooLongException)
        {
            throw new LogConfigurationException($"Log:Embedded:Directory is '{directory}', which another process uses: give every process a directory of its own.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new LogConfigurationException($"Log:Embedded:Directory is '{directory}', which cannot be written ({exception.Message}): a writable directory is needed.");
        }
    }

    public void Dispose() => _file.Dispose();
}
