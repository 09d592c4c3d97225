using Microsoft.Extensions.Options;

namespace OrleansMqtt.Grains;

internal sealed class SessionsOptionsValidation : IValidateOptions<SessionsOptions>
{
    public ValidateOptionsResult Validate(string? name, SessionsOptions options)
    {
        if (options.MaximumInflight is < 1 or > ushort.MaxValue)
        {
            return ValidateOptionsResult.Fail($"Sessions:MaximumInflight is {options.MaximumInflight}: it must be 1 to 65535.");
        }

        if (options.MaximumInflightBytes < 1)
        {
            return ValidateOptionsResult.Fail($"Sessions:MaximumInflightBytes is {options.MaximumInflightBytes}: it must be 1 or more.");
        }

        if (options.MaximumSubscriptions is < 1 or > 100_000)
        {
            return ValidateOptionsResult.Fail($"Sessions:MaximumSubscriptions is {options.MaximumSubscriptions}: it must be 1 to 100000.");
        }

        if (options.ReadBackBytes < 1 << 20)
        {
            return ValidateOptionsResult.Fail($"Sessions:ReadBackBytes is {options.ReadBackBytes}: it must be {1 << 20} or more.");
        }

        if (!Enum.IsDefined(options.Overflow))
        {
            return ValidateOptionsResult.Fail($"Sessions:Overflow is {options.Overflow}: it must be {MailboxOverflow.DropNewest} or {MailboxOverflow.DropOldest}.");
        }

        if (options.MaximumQueuedSharedMessages < 0)
        {
            return ValidateOptionsResult.Fail($"Sessions:MaximumQueuedSharedMessages is {options.MaximumQueuedSharedMessages}: it must be 0 or more.");
        }

        return options.MaximumQueuedMessages < 0
            ? ValidateOptionsResult.Fail($"Sessions:MaximumQueuedMessages is {options.MaximumQueuedMessages}: it must be 0 or more.")
            : ValidateOptionsResult.Success;
    }
}
