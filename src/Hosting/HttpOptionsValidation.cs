using System.Net;
using Microsoft.Extensions.Options;

namespace OrleansMqtt.Hosting;

internal sealed class HttpOptionsValidation : IValidateOptions<HttpOptions>
{
    public ValidateOptionsResult Validate(string? name, HttpOptions options)
    {
        if (options.Address != "*" && !IPAddress.TryParse(options.Address, out _))
        {
            return ValidateOptionsResult.Fail($"Http:Address is '{options.Address}': it must be an IP address, or * for every address.");
        }

        return options.Port is >= 0 and <= ushort.MaxValue
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Http:Port is {options.Port}: it must be 0 (a free port) to 65535.");
    }
}
