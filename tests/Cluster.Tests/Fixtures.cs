[assembly: AssemblyFixture(typeof(SharedKafka))]
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
