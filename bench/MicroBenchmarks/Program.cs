using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;

// Each run builds the server's projects once more, which takes more than the two minutes that are the default on a machine with something else to do.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly)
    .Run(args, ManualConfig.Create(DefaultConfig.Instance).WithBuildTimeout(TimeSpan.FromMinutes(10)));
