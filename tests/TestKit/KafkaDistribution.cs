namespace OrleansMqtt.TestKit;

/// <summary>The jars of an Apache Kafka on this machine, and the Java to run them.</summary>
internal sealed record KafkaDistribution(string Jars, string? Java)
{
    /// <summary>The one at <c>KAFKA_HOME</c>, else in <c>../shared/kafka</c> beside the repository; null when there is none.</summary>
    public static KafkaDistribution? Find()
    {
        if (Environment.GetEnvironmentVariable("KAFKA_HOME") is { Length: > 0 } home)
        {
            return In(home) ?? throw new InvalidOperationException($"KAFKA_HOME is '{home}', which holds no Kafka: there is neither libs/kafka_*.jar nor lib/kafka_*.jar.");
        }

        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "OrleansMqtt.sln")))
            {
                return In(Path.GetFullPath(Path.Combine(directory.FullName, "..", "shared", "kafka")));
            }
        }

        return null;
    }

    private static KafkaDistribution? In(string home)
    {
        string[] directories = [Path.Combine(home, "libs"), Path.Combine(home, "lib")];
        var jars = Array.Find(directories, directory => Directory.Exists(directory) && Directory.EnumerateFiles(directory, "kafka_*.jar").Any());
        return jars is null ? null : new(jars, FindJava());
    }

    private static string? FindJava() =>
        Environment.GetEnvironmentVariable("JAVA_HOME") is { Length: > 0 } home ? Path.Combine(home, "bin", "java") : Programs.Find("java");
}
